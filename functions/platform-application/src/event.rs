use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Request of CloudFormation for a custom resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    pub request_type: RequestType,
    /// Pre-signed, therefore secret.
    #[serde(rename = "ResponseURL")]
    pub response_url: String,
    pub stack_id: String,
    pub request_id: String,
    pub logical_resource_id: String,
    /// Absent on `Create`.
    pub physical_resource_id: Option<String>,
    /// Parsed later, so that invalid properties get a response.
    #[serde(default)]
    pub resource_properties: Value,
    /// Only on `Update`.
    #[serde(default)]
    pub old_resource_properties: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum RequestType {
    Create,
    Update,
    Delete,
}

/// Properties from the template. CloudFormation sends all of them as strings.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Properties {
    pub name: String,
    pub credentials_secret_arn: String,
    #[serde(flatten)]
    pub feedback: Feedback,
}

/// Where SNS reports what became of notifications: topics for the application's events, and roles that write logs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Feedback {
    event_delivery_failure: Option<String>,
    event_endpoint_created: Option<String>,
    event_endpoint_deleted: Option<String>,
    event_endpoint_updated: Option<String>,
    failure_feedback_role_arn: Option<String>,
    success_feedback_role_arn: Option<String>,
    /// Per cent.
    success_feedback_sample_rate: Option<String>,
}

impl Feedback {
    /// Attribute names of the application, with the value of each.
    pub fn attributes(&self) -> [(&'static str, Option<&str>); 7] {
        [
            ("EventDeliveryFailure", self.event_delivery_failure.as_deref()),
            ("EventEndpointCreated", self.event_endpoint_created.as_deref()),
            ("EventEndpointDeleted", self.event_endpoint_deleted.as_deref()),
            ("EventEndpointUpdated", self.event_endpoint_updated.as_deref()),
            ("FailureFeedbackRoleArn", self.failure_feedback_role_arn.as_deref()),
            ("SuccessFeedbackRoleArn", self.success_feedback_role_arn.as_deref()),
            ("SuccessFeedbackSampleRate", self.success_feedback_sample_rate.as_deref()),
        ]
    }
}

/// Response to CloudFormation.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    pub status: Status,
    /// Reason of a failure; empty on success.
    pub reason: String,
    pub physical_resource_id: String,
    pub stack_id: String,
    pub request_id: String,
    pub logical_resource_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Success,
    Failed,
}

impl Response {
    /// Response to `request`. `outcome` is the physical id, or the reason of the failure.
    pub fn new(request: Request, outcome: Result<String, String>) -> Self {
        let Request { stack_id, request_id, logical_resource_id, physical_resource_id, .. } = request;
        let (status, reason, physical_resource_id) = match outcome {
            Ok(id) => (Status::Success, String::new(), id),
            Err(reason) => {
                // A failed `Create` also needs an id: the rollback deletes the resource by it.
                let id = physical_resource_id.unwrap_or_else(|| format!("{logical_resource_id}-was-not-created"));
                (Status::Failed, truncated(reason), id)
            }
        };
        Self { status, reason, physical_resource_id, stack_id, request_id, logical_resource_id }
    }
}

/// Truncates a reason, because CloudFormation accepts responses of at most 4,096 bytes.
fn truncated(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(2_000));
    reason
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn malformed_request_is_parsed_or_rejected(
            text in malformed_inputs::documents(&[r#"{"RequestType":"Create","ResponseURL":"https://s3/x","StackId":"arn:stack","RequestId":"r","ResourceType":"Custom::X","LogicalResourceId":"App","ResourceProperties":{"ServiceToken":"arn","Name":"push","CredentialsSecretArn":"arn:secret","EventEndpointCreated":"arn:topic"}}"#]),
            reason in malformed_inputs::text(),
        ) {
            if let Ok(request) = serde_json::from_str::<Request>(&text) {
                let _ = serde_json::from_value::<Properties>(request.resource_properties.clone());
                let response = Response::new(request, Err(reason));
                prop_assert!(response.status == Status::Failed && response.reason.len() <= 2_000);
            }
        }
    }
}
