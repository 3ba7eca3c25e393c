use std::collections::{BTreeMap, HashMap};

use super::{
    attributes::{check_application, check_token, check_user_data, parse_bool, without_secrets},
    call::Scope,
    sns_error::SnsError,
};

/// Number of entries per page.
const PAGE: usize = 100;

/// SNS's platform applications and endpoints. The current time is a parameter, in milliseconds since 1970.
#[derive(Default)]
pub struct PlatformRegistry {
    applications: BTreeMap<String, BTreeMap<String, String>>,
    endpoints: BTreeMap<String, Endpoint>,
    /// ARNs of endpoints by application and token.
    by_token: HashMap<(String, String), String>,
}

/// A platform endpoint.
#[derive(Clone)]
pub struct Endpoint {
    /// ARN of the application.
    pub application: String,
    /// FCM token.
    pub token: String,
    /// Whether SNS delivers to the endpoint.
    pub enabled: bool,
    /// `CustomUserData`.
    pub user_data: String,
    created_at: i64,
}

/// A change of an endpoint, for event notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The endpoint was created.
    Created,
    /// Its attributes changed.
    Updated,
    /// The endpoint was deleted.
    Deleted,
    /// No change.
    None,
}

impl Endpoint {
    /// The result of `GetEndpointAttributes`.
    pub fn attributes(&self) -> BTreeMap<String, String> {
        let mut attributes = BTreeMap::from([
            ("Enabled".to_owned(), self.enabled.to_string()),
            ("Token".to_owned(), self.token.clone()),
        ]);
        if !self.user_data.is_empty() {
            attributes.insert("CustomUserData".to_owned(), self.user_data.clone());
        }
        attributes
    }
}

impl PlatformRegistry {
    /// `CreatePlatformApplication`: the ARN of the new application, or of an existing one with the same attributes.
    pub fn create_application(
        &mut self,
        scope: &Scope,
        name: &str,
        platform: &str,
        mut attributes: BTreeMap<String, String>,
    ) -> Result<String, SnsError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if name.is_empty() || name.len() > 256 || !name.bytes().all(is_name) {
            return Err(SnsError::invalid("Name", "must be 1 to 256 characters of A-Z, a-z, 0-9, _, - and ."));
        }
        if platform != "GCM" {
            return Err(SnsError::invalid("Platform", "the emulator supports only GCM"));
        }
        check_application(&attributes)?;
        if !attributes.contains_key("PlatformCredential") {
            return Err(SnsError::invalid("Attributes", "No value found for PlatformCredential"));
        }
        attributes.entry("Enabled".to_owned()).or_insert_with(|| "true".to_owned());
        let arn = format!("arn:aws:sns:{}:{}:app/GCM/{name}", scope.region, scope.account);
        match self.applications.get(&arn) {
            Some(known) if *known != attributes => Err(SnsError::invalid_message(
                "Invalid parameter: An application with the same name but different properties already exists",
            )),
            Some(_) => Ok(arn),
            None => {
                self.applications.insert(arn.clone(), attributes);
                Ok(arn)
            }
        }
    }

    /// `SetPlatformApplicationAttributes`.
    pub fn set_application(&mut self, arn: &str, attributes: BTreeMap<String, String>) -> Result<(), SnsError> {
        let application = self.applications.get_mut(arn).ok_or_else(|| SnsError::not_found("PlatformApplication"))?;
        if attributes.is_empty() {
            return Err(SnsError::invalid("Attributes", "no value for required parameter"));
        }
        check_application(&attributes)?;
        application.extend(attributes);
        Ok(())
    }

    /// `GetPlatformApplicationAttributes`: all attributes except the credentials.
    pub fn application(&self, arn: &str) -> Result<BTreeMap<String, String>, SnsError> {
        let attributes = self.applications.get(arn).ok_or_else(|| SnsError::not_found("PlatformApplication"))?;
        Ok(without_secrets(attributes))
    }

    /// `DeletePlatformApplication`: also deletes its endpoints. The application need not exist.
    pub fn delete_application(&mut self, arn: &str) {
        self.applications.remove(arn);
        self.endpoints.retain(|_, endpoint| endpoint.application != arn);
        self.by_token.retain(|(application, _), _| application != arn);
    }

    /// `ListPlatformApplications`: a page of the applications in the caller's account and region.
    pub fn list_applications(&self, scope: &Scope, from: Option<&str>) -> Page<BTreeMap<String, String>> {
        let prefix = format!("arn:aws:sns:{}:{}:", scope.region, scope.account);
        let all = self.applications.iter().filter(|(arn, _)| arn.starts_with(&prefix));
        page(all.map(|(arn, attributes)| (arn.as_str(), without_secrets(attributes))), from)
    }

    /// `CreatePlatformEndpoint`: the ARN of the new endpoint, or of an existing one with the same attributes. An existing
    /// endpoint does not change: if it was disabled, it stays disabled. `enabled` is compared only if given.
    pub fn create_endpoint(
        &mut self,
        application: &str,
        token: &str,
        user_data: &str,
        enabled: Option<bool>,
        now: i64,
    ) -> Result<(String, Change), SnsError> {
        self.application(application)?;
        check_token(token)?;
        check_user_data(user_data)?;
        if let Some(arn) = self.by_token.get(&(application.to_owned(), token.to_owned())) {
            let known = self.endpoints.get(arn);
            let is_same = known.is_some_and(|known| {
                known.user_data == user_data && enabled.is_none_or(|enabled| known.enabled == enabled)
            });
            return if is_same { Ok((arn.clone(), Change::None)) } else { Err(already_exists(arn)) };
        }
        let arn = format!("{}/{}", application.replacen(":app/", ":endpoint/", 1), uuid::Uuid::new_v4());
        self.insert(
            &arn,
            Endpoint {
                application: application.to_owned(),
                token: token.to_owned(),
                enabled: enabled.unwrap_or(true),
                user_data: user_data.to_owned(),
                created_at: now,
            },
        );
        Ok((arn, Change::Created))
    }

    /// `GetEndpointAttributes`: not found within `lag` milliseconds after the creation.
    pub fn look_up(&self, arn: &str, lag: i64, now: i64) -> Result<&Endpoint, SnsError> {
        let endpoint = self.endpoints.get(arn).filter(|endpoint| now >= endpoint.created_at + lag);
        endpoint.ok_or_else(|| SnsError::not_found("Endpoint"))
    }

    /// The endpoint, without lookup lag.
    pub fn endpoint(&self, arn: &str) -> Option<&Endpoint> {
        self.endpoints.get(arn)
    }

    /// All endpoints.
    pub fn endpoints(&self) -> impl Iterator<Item = (&str, &Endpoint)> {
        self.endpoints.iter().map(|(arn, endpoint)| (arn.as_str(), endpoint))
    }

    /// `SetEndpointAttributes`.
    pub fn set_endpoint(&mut self, arn: &str, attributes: &BTreeMap<String, String>) -> Result<Change, SnsError> {
        let mut changed = self.endpoints.get(arn).cloned().ok_or_else(|| SnsError::not_found("Endpoint"))?;
        if attributes.is_empty() {
            return Err(SnsError::invalid("Attributes", "no value for required parameter"));
        }
        for (name, value) in attributes {
            match name.as_str() {
                "Enabled" => changed.enabled = parse_bool(name, value)?,
                "Token" => {
                    check_token(value)?;
                    changed.token.clone_from(value);
                }
                "CustomUserData" => {
                    check_user_data(value)?;
                    changed.user_data.clone_from(value);
                }
                _ => return Err(SnsError::invalid("Attributes", &format!("Invalid attribute name: {name}"))),
            }
        }
        let other = self.by_token.get(&(changed.application.clone(), changed.token.clone()));
        if let Some(other) = other.filter(|other| *other != arn) {
            return Err(already_exists(other));
        }
        let is_same = self.endpoints.get(arn).is_some_and(|known| known.attributes() == changed.attributes());
        self.remove(arn);
        self.insert(arn, changed);
        Ok(if is_same { Change::None } else { Change::Updated })
    }

    /// `DeleteEndpoint`: returns the deleted endpoint, if it existed.
    pub fn remove(&mut self, arn: &str) -> Option<Endpoint> {
        let endpoint = self.endpoints.remove(arn)?;
        self.by_token.remove(&(endpoint.application.clone(), endpoint.token.clone()));
        Some(endpoint)
    }

    /// Disables an endpoint after FCM has reported its token as unregistered.
    pub fn disable(&mut self, arn: &str) {
        if let Some(endpoint) = self.endpoints.get_mut(arn) {
            endpoint.enabled = false;
        }
    }

    /// `ListEndpointsByPlatformApplication`.
    pub fn list_endpoints(
        &self,
        application: &str,
        from: Option<&str>,
    ) -> Result<Page<BTreeMap<String, String>>, SnsError> {
        self.application(application)?;
        let all = self.endpoints.iter().filter(|(_, endpoint)| endpoint.application == application);
        Ok(page(all.map(|(arn, endpoint)| (arn.as_str(), endpoint.attributes())), from))
    }

    /// The endpoint for `Publish`, if it and its application are enabled.
    pub fn target(&self, arn: &str) -> Result<&Endpoint, SnsError> {
        let unknown = || SnsError::invalid("TargetArn", "No endpoint found for the target arn specified");
        let endpoint = self.endpoints.get(arn).ok_or_else(unknown)?;
        let application = self.applications.get(&endpoint.application).ok_or_else(unknown)?;
        if application.get("Enabled").is_some_and(|enabled| enabled == "false") {
            return Err(SnsError::application_disabled());
        }
        if !endpoint.enabled {
            return Err(SnsError::endpoint_disabled());
        }
        Ok(endpoint)
    }

    fn insert(&mut self, arn: &str, endpoint: Endpoint) {
        self.by_token.insert((endpoint.application.clone(), endpoint.token.clone()), arn.to_owned());
        self.endpoints.insert(arn.to_owned(), endpoint);
    }
}

/// A page of a list and the token of the next page.
pub type Page<T> = (Vec<(String, T)>, Option<String>);

fn page<'a, T>(all: impl Iterator<Item = (&'a str, T)>, from: Option<&str>) -> Page<T> {
    let mut rest = all.filter(|(arn, _)| from.is_none_or(|from| *arn > from));
    let page: Vec<_> = rest.by_ref().take(PAGE).map(|(arn, item)| (arn.to_owned(), item)).collect();
    let next = rest.next().and(page.last().map(|(arn, _)| arn.clone()));
    (page, next)
}

fn already_exists(arn: &str) -> SnsError {
    let reason = format!("Endpoint {arn} already exists with the same Token, but different attributes.");
    SnsError::invalid("Token", &reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = r#"{"type":"service_account","project_id":"p","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----"}"#;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn scope() -> Scope {
        Scope { region: "ap-northeast-2".into(), account: "000000000000".into() }
    }

    fn registry() -> (PlatformRegistry, String) {
        let mut registry = PlatformRegistry::default();
        let attributes = map(&[("PlatformCredential", ACCOUNT)]);
        let arn = registry.create_application(&scope(), "iyagi", "GCM", attributes).unwrap();
        (registry, arn)
    }

    #[test]
    fn arns_have_the_format_of_aws() {
        let (mut registry, application) = registry();
        assert_eq!(application, "arn:aws:sns:ap-northeast-2:000000000000:app/GCM/iyagi");
        let (endpoint, change) = registry.create_endpoint(&application, "t1", "", None, 0).unwrap();
        assert_eq!(change, Change::Created);
        let id = endpoint.strip_prefix("arn:aws:sns:ap-northeast-2:000000000000:endpoint/GCM/iyagi/").unwrap();
        assert!(uuid::Uuid::parse_str(id).is_ok(), "{id}");
    }

    #[test]
    fn credentials_are_validated_and_never_returned() {
        let (mut registry, application) = registry();
        assert_eq!(registry.application(&application).unwrap(), map(&[("Enabled", "true")]));
        let same = registry.create_application(&scope(), "iyagi", "GCM", map(&[("PlatformCredential", ACCOUNT)]));
        assert_eq!(same.unwrap(), application, "equal attributes");
        let topic = map(&[("PlatformCredential", ACCOUNT), ("EventDeliveryFailure", "arn:aws:sns:r:a:t")]);
        registry.create_application(&scope(), "iyagi", "GCM", topic).expect_err("the same name, other properties");
        for wrong in ["AIza-an-old-key", "{}", r#"{"type":"service_account"}"#] {
            let error = registry.create_application(&scope(), "x", "GCM", map(&[("PlatformCredential", wrong)]));
            let message = "Invalid parameter: Attributes Reason: Platform credentials are invalid";
            assert_eq!(error.unwrap_err().message, message, "{wrong}");
        }
        registry.set_application(&application, map(&[("Sound", "loud")])).expect_err("an unknown attribute");
    }

    #[test]
    fn recreated_endpoint_stays_disabled() {
        let (mut registry, application) = registry();
        let (arn, _) = registry.create_endpoint(&application, "t1", "mina", Some(true), 0).unwrap();
        registry.disable(&arn);
        let same = registry.create_endpoint(&application, "t1", "mina", None, 0).unwrap();
        assert_eq!(same, (arn.clone(), Change::None));
        assert!(!registry.endpoint(&arn).unwrap().enabled);
        // Other user data, or another flag if given, is an error.
        for (data, enabled) in [("jun", None), ("mina", Some(true))] {
            let error = registry.create_endpoint(&application, "t1", data, enabled, 0).unwrap_err();
            let message = format!(
                "Invalid parameter: Token Reason: Endpoint {arn} already exists with the same Token, but different \
                 attributes."
            );
            assert_eq!((error.code, error.message), ("InvalidParameter", message));
        }
    }

    #[test]
    fn endpoint_moves_to_a_free_token_only() {
        let (mut registry, application) = registry();
        let (first, _) = registry.create_endpoint(&application, "t1", "", None, 0).unwrap();
        let (second, _) = registry.create_endpoint(&application, "t2", "", None, 0).unwrap();
        let error = registry.set_endpoint(&first, &map(&[("Token", "t2")])).unwrap_err();
        assert!(error.message.contains(&second), "{error}");
        assert_eq!(registry.set_endpoint(&first, &map(&[("Token", "t3"), ("Enabled", "false")])), Ok(Change::Updated));
        assert_eq!(registry.set_endpoint(&first, &map(&[("Token", "t3")])), Ok(Change::None));
        // Its old token is free.
        let (third, change) = registry.create_endpoint(&application, "t1", "", None, 0).unwrap();
        assert!(third != first && change == Change::Created);
        assert_eq!(registry.set_endpoint(&first, &map(&[("Colour", "red")])).unwrap_err().code, "InvalidParameter");
        assert!(registry.remove(&first).is_some() && registry.remove(&first).is_none());
    }

    #[test]
    fn length_limits_are_in_bytes() {
        let (mut registry, application) = registry();
        let token = "가".repeat(2730) + "xx";
        assert_eq!(token.len(), 8192);
        registry.create_endpoint(&application, &token, &"x".repeat(2048), None, 0).expect("the maximum length");
        let error = registry.create_endpoint(&application, &(token + "x"), "", None, 0).unwrap_err();
        let message = "Invalid parameter: Token Reason: must be at most 8192 bytes long in UTF-8 encoding";
        assert_eq!(error.message, message);
        let error = registry.create_endpoint(&application, "t", &"가".repeat(683), None, 0).unwrap_err();
        let message = "Invalid parameter: Attributes Reason: Invalid value for attribute: CustomUserData: must be at \
                       most 2048 bytes long in UTF-8 encoding";
        assert_eq!(error.message, message);
    }

    #[test]
    fn lookup_fails_within_the_lag() {
        let (mut registry, application) = registry();
        let (arn, _) = registry.create_endpoint(&application, "t", "", None, 1000).unwrap();
        assert_eq!(registry.look_up(&arn, 50, 1049).err().map(|error| error.code), Some("NotFound"));
        assert!(registry.look_up(&arn, 50, 1050).is_ok() && registry.look_up(&arn, 0, 1000).is_ok());
    }

    #[test]
    fn disabled_or_missing_target_is_an_error() {
        let (mut registry, application) = registry();
        let (arn, _) = registry.create_endpoint(&application, "t", "", None, 0).unwrap();
        let code = |registry: &PlatformRegistry, arn: &str| registry.target(arn).err().map(|error| error.code);
        assert_eq!(code(&registry, &arn), None);
        registry.disable(&arn);
        assert_eq!(code(&registry, &arn), Some("EndpointDisabled"));
        registry.set_application(&application, map(&[("Enabled", "false")])).unwrap();
        assert_eq!(code(&registry, &arn), Some("PlatformApplicationDisabled"));
        registry.delete_application(&application);
        let error = registry.target(&arn).err().unwrap();
        let message = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified";
        assert_eq!(error.message, message);
    }

    #[test]
    fn lists_are_paged() {
        let (mut registry, application) = registry();
        for index in 0..250 {
            registry.create_endpoint(&application, &index.to_string(), "", None, 0).unwrap();
        }
        let (mut sizes, mut next) = (Vec::new(), None);
        loop {
            let (page, more) = registry.list_endpoints(&application, next.as_deref()).unwrap();
            sizes.push(page.len());
            next = more;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(sizes, [100, 100, 50]);
        assert_eq!(registry.list_applications(&scope(), None).0.len(), 1);
        let elsewhere = Scope { region: "us-east-1".into(), ..scope() };
        assert!(registry.list_applications(&elsewhere, None).0.is_empty());
    }
}
