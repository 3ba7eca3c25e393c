use utoipa::ToSchema;

/// Error response of API Gateway itself, for requests that reach no function.
#[derive(ToSchema)]
#[allow(dead_code, reason = "API Gateway writes it")]
pub(crate) struct GatewayMessage {
    /// Description of the error.
    #[schema(examples("Unauthorized"))]
    message: String,
}
