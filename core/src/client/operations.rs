//! One method for each row of the table of operations.

use super::Client;
#[cfg(doc)]
use crate::error::{Error, ErrorKind};
use crate::operation::{
    eligible::naming_eligible_roles,
    span::{About, in_span},
    table::{imports, operations},
};

imports!();

/// Gives a method the docs at its row, or the file of its name.
macro_rules! documented {
    ([] $name:ident $method:item) => {
        #[doc = include_str!(concat!("../operation/docs/", stringify!($name), ".md"))]
        $method
    };
    ([$($docs:literal)+] $name:ident $method:item) => {
        $(#[doc = $docs])+
        $method
    };
}

macro_rules! methods {
    ($(
        $(#[doc = $docs:literal])*
        $operation:ident $name:ident($($argument:ident: $type:ty),*) -> $result:ty {
            about: $about:expr,
            call: $options:expr,
            deadline: $deadline:expr,
            rights: $rights:expr,
            run: |$parts:ident, $call:ident| $run:expr,
        }
    )*) => {
        impl Client {
            $(
                documented! { [$($docs)*] $name
                    pub async fn $name(&self, $($argument: $type),*) -> Result<$result> {
                        let call = $options.start($deadline);
                        let ($parts, $call) = (&*self.parts, &call);
                        in_span!(stringify!($name), $parts, $about, $call.clone(), naming_eligible_roles($parts, $call, $run)).await
                    }
                }
            )*
        }
    };
}

operations!(methods);
