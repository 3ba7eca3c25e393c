use std::collections::BTreeMap;

use aws_client::REGION;
use axum::http::HeaderMap;

use super::sns_error::SnsError;

/// A call of AWS's query protocol: form parameters, with lists and maps as `Attributes.entry.1.key` (Amazon SNS API
/// Reference, "Making API requests").
#[derive(Clone)]
pub struct Call {
    /// The parameter `Action`.
    pub action: String,
    parameters: BTreeMap<String, String>,
}

impl Call {
    /// Parses a call from the query string and the body. `None` if there is no action.
    pub fn parse(query: &str, body: &[u8]) -> Option<Self> {
        let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body));
        let mut parameters: BTreeMap<String, String> =
            pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Some(Self { action: parameters.remove("Action")?, parameters })
    }

    /// The parameter `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The required parameter `name`.
    pub fn required(&self, name: &str) -> Result<&str, SnsError> {
        self.get(name).ok_or_else(|| SnsError::invalid(name, "no value for required parameter"))
    }

    /// The map `name`.
    pub fn map(&self, name: &str) -> BTreeMap<String, String> {
        self.entries(name, "key", "value")
    }

    /// The message attributes with string values.
    pub fn message_attributes(&self) -> BTreeMap<String, String> {
        self.entries("MessageAttributes", "Name", "Value.StringValue")
    }

    fn entries(&self, name: &str, key: &str, value: &str) -> BTreeMap<String, String> {
        (1..)
            .map_while(|index| {
                let key = self.get(&format!("{name}.entry.{index}.{key}"))?;
                let value = self.get(&format!("{name}.entry.{index}.{value}")).unwrap_or_default();
                Some((key.to_owned(), value.to_owned()))
            })
            .collect()
    }
}

/// Region and account of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The region of the call.
    pub region: String,
    /// The account of the caller.
    pub account: String,
}

impl Scope {
    /// Parses the scope from `Credential=<access key>/<date>/<region>/sns/aws4_request`. As in MiniStack, an access key of
    /// twelve digits is an account id; other keys belong to the default account.
    pub fn of(headers: &HeaderMap) -> Self {
        let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let credential = authorization.split("Credential=").nth(1).unwrap_or_default();
        let mut parts = credential.split(['/', ',']);
        let account = parts.next().filter(|key| key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit()));
        let region = parts.nth(1).filter(|region| !region.is_empty());
        Self { region: region.unwrap_or(REGION).to_owned(), account: account.unwrap_or("000000000000").to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn map_is_parsed_until_the_first_missing_index() {
        let body = "Action=SetEndpointAttributes&EndpointArn=a%3Ab&Attributes.entry.1.key=Token&\
                    Attributes.entry.1.value=t%20%2B1&Attributes.entry.2.key=Enabled&Attributes.entry.2.value=true&\
                    Attributes.entry.4.key=x&Attributes.entry.4.value=y&\
                    MessageAttributes.entry.1.Name=T&MessageAttributes.entry.1.Value.StringValue=5";
        let call = Call::parse("Version=2010-03-31", body.as_bytes()).unwrap();
        assert_eq!((call.action.as_str(), call.get("EndpointArn")), ("SetEndpointAttributes", Some("a:b")));
        let attributes: Vec<_> = call.map("Attributes").into_iter().collect();
        assert_eq!(attributes, [("Enabled".into(), "true".into()), ("Token".into(), "t +1".into())]);
        assert_eq!(call.message_attributes().get("T").map(String::as_str), Some("5"));
        let missing = call.required("Token").unwrap_err();
        assert_eq!(missing.message, "Invalid parameter: Token Reason: no value for required parameter");
        assert!(Call::parse("", b"{}").is_none());
    }

    #[test]
    fn scope_is_derived_from_the_signature() {
        let scope = |credential: &str| {
            let text = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_str(&text).unwrap());
            let Scope { region, account } = Scope::of(&headers);
            (region, account)
        };
        let of = |region: &str, account: &str| (region.to_owned(), account.to_owned());
        assert_eq!(scope("AKIA/20260101/eu-west-1/sns/aws4_request"), of("eu-west-1", "000000000000"));
        assert_eq!(scope("123456789012/20260101/eu-west-1/sns/aws4_request"), of("eu-west-1", "123456789012"));
        let unsigned = Scope::of(&HeaderMap::new());
        assert_eq!((unsigned.region, unsigned.account), of(REGION, "000000000000"));
    }
}
