//! Reads responses straight from DynamoDB's JSON.
//!
//! The SDK makes a map of every row, with an allocation for each name and value, and `serde_dynamo` makes the row of it.
//! Here serde makes the rows at once. All else is the SDK's: credentials, endpoint, signature, timeouts, retries and
//! errors.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_dynamodb::{
    config::{ConfigBag, FrozenLayer, Intercept, interceptors::BeforeSerializationInterceptorContextRef},
    error::BoxError,
};
use aws_smithy_runtime_api::client::{
    interceptors::{
        context::{Error, Output},
        dyn_dispatch_hint,
    },
    orchestrator::{HttpResponse, OrchestratorError},
    ser_de::{DeserializeResponse, SharedResponseDeserializer},
};
use function_kit::failure::Failure;
use serde::de::DeserializeOwned;

use crate::row;

/// An operation of DynamoDB.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Its configuration, which holds the SDK's deserializer.
    pub config: fn() -> Option<FrozenLayer>,
    /// An output of the SDK without rows.
    pub empty: fn() -> Output,
}

/// Where the deserializer leaves the response.
type Slot<T> = Arc<Mutex<Option<serde_json::Result<T>>>>;

/// The response to one request.
pub struct DirectResponse<T> {
    slot: Slot<T>,
    operation: Operation,
}

impl<T: DeserializeOwned + Send + 'static> DirectResponse<T> {
    /// A response of this operation, which has not arrived.
    pub fn of(operation: Operation) -> Self {
        Self { slot: Slot::default(), operation }
    }

    /// To be added to the request.
    pub fn interceptor(&self) -> impl Intercept + 'static {
        ReadResponse { slot: self.slot.clone(), operation: self.operation }
    }

    /// The response, after the SDK's call has succeeded.
    ///
    /// # Errors
    /// `Failure::bug` if a row does not have the form that this version writes.
    pub fn read(self, doing: &'static str) -> Result<T, Failure> {
        let response = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        response
            .ok_or_else(|| Failure::bug(doing, "the response was not read"))?
            .map_err(|error| Failure::bug(doing, row::without_values(&error)))
    }
}

/// Replaces the operation's deserializer.
struct ReadResponse<T> {
    slot: Slot<T>,
    operation: Operation,
}

#[dyn_dispatch_hint]
impl<T: DeserializeOwned + Send + 'static> Intercept for ReadResponse<T> {
    fn name(&self) -> &'static str {
        "ReadResponse"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let deserializer = Deserializer { slot: self.slot.clone(), operation: self.operation };
        config.interceptor_state().store_put(SharedResponseDeserializer::new(deserializer));
        Ok(())
    }
}

struct Deserializer<T> {
    slot: Slot<T>,
    operation: Operation,
}

impl<T: DeserializeOwned + Send + 'static> DeserializeResponse for Deserializer<T> {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        if let (200, Some(body)) = (response.status().as_u16(), response.body().bytes()) {
            let read = serde_json::from_slice(body);
            // The SDK reports a text that is no JSON.
            if read.as_ref().err().is_none_or(serde_json::Error::is_data) {
                *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
                return Ok((self.operation.empty)());
            }
        }
        let operation = (self.operation.config)();
        let sdk = operation.as_ref().and_then(|operation| operation.load::<SharedResponseDeserializer>());
        let sdk = sdk.ok_or_else(|| OrchestratorError::other("the operation has no deserializer"))?;
        sdk.deserialize_nonstreaming_with_config(response, config)
    }
}

impl<T> fmt::Debug for ReadResponse<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadResponse")
    }
}

impl<T> fmt::Debug for Deserializer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deserializer")
    }
}
