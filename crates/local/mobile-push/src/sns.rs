use http_server::ActiveFaults;

use super::{
    attributes::parse_bool,
    call::{Call, Scope},
    event::{Event, FailureType},
    fault::Fault,
    fcm::{DeliveryContext, Fcm, FcmResponse},
    message::FcmRequest,
    registry::{Change, Page, PlatformRegistry},
    sns_error::SnsError,
    xml,
};

/// The emulated calls. `Publish` is emulated if its target is an endpoint.
const CALLS: [&str; 10] = [
    "CreatePlatformApplication",
    "SetPlatformApplicationAttributes",
    "GetPlatformApplicationAttributes",
    "DeletePlatformApplication",
    "ListPlatformApplications",
    "CreatePlatformEndpoint",
    "GetEndpointAttributes",
    "SetEndpointAttributes",
    "DeleteEndpoint",
    "ListEndpointsByPlatformApplication",
];

/// SNS mobile push, FCM, and the injected faults. The current time is a parameter, in milliseconds since 1970.
pub struct Sns {
    /// Platform applications and endpoints.
    pub registry: PlatformRegistry,
    /// FCM and the phones.
    pub fcm: Fcm,
    /// The injected faults.
    pub faults: ActiveFaults<Fault>,
    /// How long lookups of a new endpoint fail, in milliseconds.
    pub lookup_lag: i64,
}

/// The result of a call.
#[derive(Debug, Default)]
pub struct CallResult {
    /// XML elements of the result.
    pub elements: String,
    /// Events to publish.
    pub events: Vec<Event>,
}

/// Whether the call is emulated here; other calls are forwarded.
pub fn is_emulated(call: &Call) -> bool {
    let is_endpoint = |arn: &str| arn.starts_with("arn:aws:sns:") && arn.contains(":endpoint/GCM/");
    CALLS.contains(&call.action.as_str())
        || (call.action == "Publish" && call.get("TargetArn").is_some_and(is_endpoint))
}

/// The resource of a call, for IAM.
pub fn resource(call: &Call, scope: &Scope) -> String {
    let named = ["TargetArn", "EndpointArn", "PlatformApplicationArn"].into_iter().find_map(|name| call.get(name));
    match (named, call.get("Name")) {
        (Some(arn), _) => arn.to_owned(),
        (None, Some(name)) if call.action == "CreatePlatformApplication" => {
            format!("arn:aws:sns:{}:{}:app/GCM/{name}", scope.region, scope.account)
        }
        _ => "*".to_owned(),
    }
}

impl Sns {
    /// The token that a call is about.
    pub fn token<'a>(&'a self, call: &'a Call) -> Option<&'a str> {
        let arn = call.get("EndpointArn").or_else(|| call.get("TargetArn"));
        let known = arn.and_then(|arn| self.registry.endpoint(arn)).map(|endpoint| endpoint.token.as_str());
        known.or_else(|| call.get("Token"))
    }

    /// Processes a call.
    pub fn call(&mut self, call: &Call, scope: &Scope, now: i64) -> Result<CallResult, SnsError> {
        let registry = &mut self.registry;
        let application = || call.required("PlatformApplicationArn");
        let endpoint = || call.required("EndpointArn");
        let elements = match call.action.as_str() {
            "CreatePlatformApplication" => {
                let (name, platform) = (call.required("Name")?, call.required("Platform")?);
                let arn = registry.create_application(scope, name, platform, call.map("Attributes"))?;
                xml::element("PlatformApplicationArn", &arn)
            }
            "SetPlatformApplicationAttributes" => {
                registry.set_application(application()?, call.map("Attributes"))?;
                String::new()
            }
            "GetPlatformApplicationAttributes" => xml::attributes(&registry.application(application()?)?),
            "DeletePlatformApplication" => {
                registry.delete_application(application()?);
                String::new()
            }
            "ListPlatformApplications" => {
                let page = registry.list_applications(scope, call.get("NextToken"));
                list("PlatformApplications", "PlatformApplicationArn", page)
            }
            "ListEndpointsByPlatformApplication" => {
                let page = registry.list_endpoints(application()?, call.get("NextToken"))?;
                list("Endpoints", "EndpointArn", page)
            }
            "GetEndpointAttributes" => {
                xml::attributes(&registry.look_up(endpoint()?, self.lookup_lag, now)?.attributes())
            }
            "CreatePlatformEndpoint" => return self.create_endpoint(call, now),
            "SetEndpointAttributes" => {
                let arn = endpoint()?;
                let change = registry.set_endpoint(arn, &call.map("Attributes"))?;
                return Ok(CallResult { events: self.endpoint_events(change, arn, now), ..CallResult::default() });
            }
            "DeleteEndpoint" => {
                let arn = endpoint()?;
                let events = self.endpoint_events(Change::Deleted, arn, now);
                self.registry.remove(arn);
                return Ok(CallResult { events, ..CallResult::default() });
            }
            _ => return self.publish(call, now),
        };
        Ok(CallResult { elements, events: Vec::new() })
    }

    fn create_endpoint(&mut self, call: &Call, now: i64) -> Result<CallResult, SnsError> {
        let attributes = call.map("Attributes");
        let enabled = attributes.get("Enabled").map(|value| parse_bool("Enabled", value)).transpose()?;
        let user_data = call.get("CustomUserData").or_else(|| attributes.get("CustomUserData").map(String::as_str));
        let (arn, change) = self.registry.create_endpoint(
            call.required("PlatformApplicationArn")?,
            call.required("Token")?,
            user_data.unwrap_or_default(),
            enabled,
            now,
        )?;
        Ok(CallResult { elements: xml::element("EndpointArn", &arn), events: self.endpoint_events(change, &arn, now) })
    }

    fn publish(&mut self, call: &Call, now: i64) -> Result<CallResult, SnsError> {
        let arn = call.required("TargetArn")?;
        let endpoint = self.registry.target(arn)?.clone();
        let structured = match call.get("MessageStructure") {
            None | Some("") => false,
            Some("json") => true,
            Some(_) => return Err(SnsError::invalid("MessageStructure", "must be json")),
        };
        let request = FcmRequest::of(call.required("Message")?, structured, &call.message_attributes())?;
        let message_id = uuid::Uuid::new_v4().to_string();
        let context = DeliveryContext {
            token: endpoint.token,
            endpoint_arn: arn.to_owned(),
            message_id: message_id.clone(),
            accepted_at: now,
        };
        // SNS has accepted the message. FCM's response is not reported to the publisher.
        let failure = match self.fcm.send(context, request, now) {
            FcmResponse::Accepted => None,
            FcmResponse::Unregistered => {
                self.registry.disable(arn);
                Some(FailureType::InvalidPlatformToken)
            }
            FcmResponse::InvalidArgument => Some(FailureType::DeliveryFailedPerm),
        };
        let topic = self.topic(&endpoint.application, "EventDeliveryFailure");
        let events = failure.zip(topic).map(|(failure, topic)| {
            Event::delivery_failure(&topic, failure, &endpoint.application, arn, &message_id, now)
        });
        Ok(CallResult { elements: xml::element("MessageId", &message_id), events: events.into_iter().collect() })
    }

    /// The events about a change of an endpoint.
    fn endpoint_events(&self, change: Change, arn: &str, now: i64) -> Vec<Event> {
        let event_type = match change {
            Change::Created => "EndpointCreated",
            Change::Updated => "EndpointUpdated",
            Change::Deleted => "EndpointDeleted",
            Change::None => return Vec::new(),
        };
        let Some(endpoint) = self.registry.endpoint(arn) else { return Vec::new() };
        let topic = self.topic(&endpoint.application, &format!("Event{event_type}"));
        topic.map(|topic| Event::of_endpoint(&topic, event_type, &endpoint.application, arn, now)).into_iter().collect()
    }

    fn topic(&self, application: &str, attribute: &str) -> Option<String> {
        self.registry.application(application).ok()?.remove(attribute).filter(|topic| !topic.is_empty())
    }
}

fn list(name: &str, arn_name: &str, (page, next): Page<std::collections::BTreeMap<String, String>>) -> String {
    let member = |(arn, attributes): &(String, _)| {
        format!("<member>{}{}</member>", xml::element(arn_name, arn), xml::attributes(attributes))
    };
    let members: String = page.iter().map(member).collect();
    let next = next.map(|next| xml::element("NextToken", &next)).unwrap_or_default();
    format!("<{name}>{members}</{name}>{next}")
}
