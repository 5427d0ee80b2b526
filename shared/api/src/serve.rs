//! One HTTP request: from API Gateway's event to its response, logged, and never later than Lambda would end the function.

use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_runtime::LambdaEvent;
use postrider_host::deadline::{self, Waiting};
use serde_json::value::RawValue;

use crate::routes::{self, Routed};
use crate::{ApiError, ErrorShape, Request, Response};

#[cfg(test)]
mod tests;

/// What the log calls a path that is none.
const NO_PATH: &str = "$default";

/// Answers one API Gateway event by the function's routes, logs how it went, and gives every response its request id.
///
/// The event is taken as it came and read here: one that the runtime could not read would be answered in the runtime's
/// words, and quoted in the log.
pub async fn serve<F: Routed>(function: &F, event: LambdaEvent<Box<RawValue>>) -> ApiGatewayV2httpResponse {
    let started = Instant::now();
    let invocation = event.context.request_id;
    let request = match Request::read(event.payload.get(), &invocation) {
        Ok(request) => request,
        Err(error) => {
            tracing::warn!(status = error.status(), request_id = invocation, code = error.code(), "api.not_understood");
            return ErrorShape::Coded.response(&error, &invocation).into_gateways(&invocation);
        }
    };
    let found = routes::find::<F>(&request);
    let route = match &found {
        Ok((route, _)) => route.path,
        Err(astray) => astray.path.unwrap_or(NO_PATH),
    };
    let answered = match found {
        Ok((route, variables)) => {
            // Boxed, as every handler's work is: together they would be one future of which no stack holds two.
            let work = Box::pin(async {
                let caller = function.admit(&request, &route.access).await?;
                (route.handler)(function, &request, &caller, variables).await
            });
            let answered = deadline::within(event.context.deadline, Waiting::Caller, in_time(work)).await;
            answered.map_err(|error| error.told(route.instead_of_repeating))
        }
        Err(astray) => {
            let work = Box::pin(async { function.admit_astray(&request).await.and(Err(astray.error)) });
            deadline::within(event.context.deadline, Waiting::Caller, in_time(work)).await
        }
    };
    let (method, request_id) = (&request.method, &request.id);
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let response = match answered {
        Ok(response) => {
            tracing::info!(method, route, status = response.status(), ms, request_id, "api.answered");
            response
        }
        Err(error) => {
            let (status, code) = (error.status(), error.code());
            match error.cause() {
                Some(cause) => tracing::error!(method, route, status, ms, request_id, cause, "api.failed"),
                None => tracing::info!(method, route, status, ms, request_id, code, "api.answered"),
            }
            ErrorShape::of(&request.path()).response(&error, request_id)
        }
    };
    response.into_gateways(request_id)
}

/// Whatever it is that takes too long, AWS or a name server: the caller has his answer before Lambda ends the function.
async fn in_time(work: impl Future<Output = Result<Response, ApiError>>) -> Result<Response, ApiError> {
    tokio::time::timeout(deadline::left(), work).await.unwrap_or_else(|_| Err(ApiError::out_of_time()))
}
