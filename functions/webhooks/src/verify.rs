//! `POST /v1/verify`: what it is asked, what it answers, and what the API's document says of it.

use postrider_api::{ApiError, Operation};
use postrider_domain::doctor::MAX_BODY_BYTES;

mod question;
mod verdict;

pub(crate) use question::{Question, Whose};
pub(crate) use verdict::Verdict;

use self::question::VerifyRequest;

pub(crate) fn operation() -> Operation {
    let about = "Give it a request as it was received, and the secret that you verify with, the id of the webhook that it was for, or both: \
                 it says whether the signature is good, or what is wrong and what to do. With a secret alone it cannot tell a wrong secret \
                 from a body that was changed; with the webhook's id it can, and with both it also says whether the secret is the \
                 webhook's. Nothing is stored, and neither a secret nor a signature is told.";
    Operation::new("verifyRequest", "Find out why a signature does not verify", about)
        .takes::<VerifyRequest>()
        .answers::<Verdict>(200, "Whether the request is good, or what is wrong with it.")
        .refuses(ApiError::not_found("webhook"), "There is no such webhook, or it is another tenant's.")
        .refuses(ApiError::too_large("body", MAX_BODY_BYTES), format!("`body` has more than {MAX_BODY_BYTES} bytes."))
}
