//! One method for each row of the table of operations.

use super::Client;
#[cfg(doc)]
use crate::error::{Error, ErrorKind};
use crate::operation::{
    span::{About, in_span},
    table::{imports, operations},
};

imports!();

macro_rules! methods {
    ($(
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
                #[doc = include_str!(concat!("../operation/docs/", stringify!($name), ".md"))]
                pub async fn $name(&self, $($argument: $type),*) -> Result<$result> {
                    let call = $options.start($deadline);
                    let ($parts, $call) = (&*self.parts, &call);
                    in_span!(stringify!($name), $parts, $about, $call.clone(), $run).await
                }
            )*
        }
    };
}

operations!(methods);
