//! What an operator chooses of how the portal looks: by the template's parameters, and some of it for one link.

use postrider_host::env::{self, BadSetting};

use crate::colour::Colour;
use crate::texts::Language;

/// The accent colour where nobody chose one.
const ACCENT: Colour = Colour([0x1d, 0x5f, 0x8a]);

/// How the portal looks, and who may frame it.
#[derive(Debug, Clone)]
pub(crate) struct Brand {
    /// The provider's name; the portal says only what it is where there is none.
    pub(crate) name: Option<String>,
    pub(crate) accent: Colour,
    pub(crate) language: Language,
    /// Where visitors came from.
    pub(crate) return_url: Option<String>,
    /// Origins that may frame it.
    pub(crate) frame_ancestors: Vec<String>,
}

impl Brand {
    /// As the template's parameters have it.
    ///
    /// # Errors
    /// [`BadSetting`] for a colour or a language that is none.
    pub(crate) fn from_env() -> Result<Self, BadSetting> {
        let bad = |name, expected: &str| BadSetting::new(name, expected);
        let accent = match env::var("PORTAL_ACCENT") {
            Ok(text) => Colour::read(&text).ok_or_else(|| bad("PORTAL_ACCENT", "a colour such as #1d5f8a"))?,
            Err(_) => ACCENT,
        };
        let language = match env::var("PORTAL_LANGUAGE") {
            Ok(text) => Language::named(&text).ok_or_else(|| bad("PORTAL_LANGUAGE", "`en` or `de`"))?,
            Err(_) => Language::English,
        };
        let ancestors = env::var("PORTAL_FRAME_ANCESTORS").unwrap_or_default();
        Ok(Self {
            name: env::var("PORTAL_NAME").ok(),
            accent,
            language,
            return_url: env::var("PORTAL_RETURN_URL").ok(),
            frame_ancestors: ancestors.split(',').filter(|origin| !origin.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// Whether others may frame the portal.
    pub(crate) fn is_framed(&self) -> bool {
        !self.frame_ancestors.is_empty()
    }
}

#[cfg(test)]
impl Brand {
    /// What nobody chose anything of.
    pub(crate) fn plain() -> Self {
        Self { name: None, accent: ACCENT, language: Language::English, return_url: None, frame_ancestors: Vec::new() }
    }
}
