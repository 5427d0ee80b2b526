//! Enums whose variants have names that others read. Each name is said once, beside its variant, so that all can be listed.

/// Such an enum, for whoever lists all names of any of them.
pub trait Named: Copy + 'static {
    /// All of them, in their order.
    const ALL: &'static [Self];

    /// Its name.
    fn as_str(self) -> &'static str;

    /// What it means: its own documentation.
    fn meaning(self) -> &'static str;
}

/// Makes such an enum: with `ALL` of its variants, in their order, and `as_str`, which is what the others read. What is written
/// beside a variant is what readers of the API are told of it.
#[macro_export]
macro_rules! named {
    ($(#[$about:meta])* $public:vis enum $enum:ident {
        $($(#[doc = $doc:literal])* $variant:ident = $name:literal),+ $(,)?
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $public enum $enum {
            $($(#[doc = $doc])* $variant,)+
        }

        impl $enum {
            /// All of them.
            $public const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name.
            $public const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl $crate::named::Named for $enum {
            const ALL: &'static [Self] = Self::ALL;

            fn as_str(self) -> &'static str {
                self.as_str()
            }

            fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii()),+ }
            }
        }
    };
}

/// Has such an enum written and read by its names.
macro_rules! stored_by_name {
    ($enum:ident) => {
        impl serde::Serialize for $enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name: String = serde::Deserialize::deserialize(deserializer)?;
                let unknown = || serde::de::Error::custom(format_args!("no {} is named `{name}`", stringify!($enum)));
                Self::ALL.iter().copied().find(|one| one.as_str() == name).ok_or_else(unknown)
            }
        }
    };
}

pub(crate) use stored_by_name;
