//! The HTTP API's shapes: requests in, answers and faults out, each answer with its request id.

mod answer;
mod cursor;
mod fault;
mod fields;
mod pages;
mod repeat;
mod request;
mod shape;

pub use answer::Answer;
pub use cursor::{Cursor, Paging};
pub use fault::Fault;
pub use fields::Fields;
pub use pages::Page;
pub use request::Request;
pub use shape::ErrorShape;

use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_runtime::LambdaEvent;
use serde_json::value::RawValue;

use crate::deadline::{self, Waiting};

/// Answers one API Gateway event with `handle`, logs how it went, and gives every answer its request id.
///
/// The event is taken as it came and read here: one that the runtime could not read would be answered in the runtime's
/// words, and quoted in the log.
pub async fn serve<F, Fut>(event: LambdaEvent<Box<RawValue>>, handle: F) -> ApiGatewayV2httpResponse
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Result<Answer, Fault>>,
{
    let started = Instant::now();
    let invocation = event.context.request_id;
    let request = match Request::read(event.payload.get(), &invocation) {
        Ok(request) => request,
        Err(fault) => {
            tracing::warn!(status = fault.status(), request_id = invocation, code = fault.code(), "api.not_understood");
            return ErrorShape::Coded.answer(&fault, &invocation).into_response(&invocation);
        }
    };
    let (method, route, id) = (request.method.clone(), request.route.clone(), request.id.clone());
    let shape = ErrorShape::of(&request.path());
    let instead = repeat::instead_of_repeating(&method, &request.path());
    let handled = deadline::within(event.context.deadline, Waiting::Caller, in_time(handle, request)).await;
    let (answer, fault) = match handled.map_err(|fault| fault.told(instead)) {
        Ok(answer) => (answer, None),
        Err(fault) => (shape.answer(&fault, &id), Some(fault)),
    };
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = answer.status();
    match fault.as_ref().and_then(Fault::cause) {
        Some(cause) => tracing::error!(method, route, status, ms, request_id = id, cause, "api.failed"),
        None => {
            let code = fault.as_ref().map(Fault::code);
            tracing::info!(method, route, status, ms, request_id = id, code, "api.answered");
        }
    }
    answer.into_response(&id)
}

/// Whatever it is that takes too long, AWS or a name server: the caller has his answer before Lambda ends the function.
async fn in_time<F, Fut>(handle: F, request: Request) -> Result<Answer, Fault>
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Result<Answer, Fault>>,
{
    tokio::time::timeout(deadline::left(), dispatch(request, handle))
        .await
        .unwrap_or_else(|_| Err(Fault::out_of_time()))
}

/// A path with an empty segment is nobody's: `/v1//webhooks` is not `/v1/webhooks`, nor is `/v1/webhooks/`.
async fn dispatch<F, Fut>(request: Request, handle: F) -> Result<Answer, Fault>
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Result<Answer, Fault>>,
{
    if request.segments.iter().any(String::is_empty) {
        return Err(Fault::not_found("path"));
    }
    handle(request).await
}
