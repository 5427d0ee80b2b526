//! What the function is made of, once a process.

use postrider_host::env::BadSetting;

use crate::api::Api;
use crate::brand::Brand;
use crate::session::Sessions;

/// The portal.
pub struct Portal {
    pub(crate) api: Api,
    pub(crate) brand: Brand,
    pub(crate) sessions: Sessions,
}

impl Portal {
    /// As the template's settings have it.
    ///
    /// # Errors
    /// [`BadSetting`] where one is missing or makes no sense.
    pub fn from_env() -> Result<Self, BadSetting> {
        Ok(Self::of(Api::from_env()?, Brand::from_env()?))
    }

    pub(crate) fn of(api: Api, brand: Brand) -> Self {
        Self { api, brand, sessions: Sessions::new() }
    }
}
