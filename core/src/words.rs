//! Enums of named values: the same names in JSON, in Python and in JavaScript.

/// Gives an enum its names, `ALL` and `Display`. [`words!`](crate::error::words) adds `FromStr`.
macro_rules! word_names {
    ($name:ident: $($variant:ident => $word:expr),+ $(,)?) => {
        impl $name {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name, the same in every language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use word_names;
