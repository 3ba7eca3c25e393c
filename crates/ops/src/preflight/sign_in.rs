//! What the parameters of sign-in deploy.

use yaml_serde::Value as Yaml;

use super::{TEMPLATE, intrinsics::Template};

const POOL: &str = "AWS::Cognito::UserPool";
const CLIENT: &str = "AWS::Cognito::UserPoolClient";
const DOMAIN: &str = "AWS::Cognito::UserPoolDomain";
const PROVIDER: &str = "AWS::Cognito::UserPoolIdentityProvider";

fn template(parameters: &[(&str, &str)]) -> Template {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Template::parse(TEMPLATE, parameters, &[("AWS::StackName", "iyagi")]).expect("a template")
}

/// The property `name` of the first resource of a type, as `!If` selects it: of clients, that of the app. `None` for
/// `AWS::NoValue`.
fn property(template: &Template, kind: &str, name: &str) -> Option<Yaml> {
    let resources = template.deployed(kind).expect("resources");
    let (_, properties) = resources.first().expect("a resource");
    let value = template.selected(&properties[name]).expect("a value");
    (value.as_str() != Some("AWS::NoValue")).then(|| value.clone())
}

fn text(template: &Template, value: &Yaml) -> String {
    template.text(value).expect("a value").expect("a text")
}

/// The names of the identity providers, and of those that the app client supports.
fn providers(template: &Template) -> (Vec<String>, Vec<String>) {
    let deployed = template.deployed(PROVIDER).expect("providers").into_iter().map(|(name, _)| name.to_owned());
    let supported = property(template, CLIENT, "SupportedIdentityProviders");
    let supported = supported.as_ref().and_then(Yaml::as_sequence).into_iter().flatten();
    let names = supported.map(|name| template.selected(name).expect("a value").as_str().expect("a name").to_owned());
    (deployed.collect(), names.filter(|name| name != "AWS::NoValue").collect())
}

#[test]
fn defaults_are_mail_by_cognito_passwords_and_the_essentials_tier() {
    let template = template(&[]);
    assert_eq!(property(&template, POOL, "EmailConfiguration"), None);
    assert_eq!(property(&template, POOL, "EnabledMfas"), None);
    assert_eq!(text(&template, &property(&template, POOL, "MfaConfiguration").expect("a value")), "OFF");
    assert_eq!(text(&template, &property(&template, POOL, "UserPoolTier").expect("a value")), "ESSENTIALS");
    for name in ["AllowedOAuthFlowsUserPoolClient", "AllowedOAuthFlows", "AllowedOAuthScopes", "CallbackURLs"] {
        assert_eq!(property(&template, CLIENT, name), None, "{name}");
    }
    assert_eq!(providers(&template), (vec![], vec![]));
    assert!(template.deployed(DOMAIN).expect("resources").is_empty());
}

#[test]
fn refresh_tokens_rotate_except_in_the_lite_tier() {
    for (tier, rotates) in [("LITE", false), ("ESSENTIALS", true), ("PLUS", true)] {
        let template = template(&[("UserPoolTier", tier)]);
        assert_eq!(property(&template, CLIENT, "RefreshTokenRotation").is_some(), rotates, "{tier}");
        let flows = property(&template, CLIENT, "ExplicitAuthFlows").expect("flows");
        let flows = flows.as_sequence().expect("a list").iter().map(|flow| template.selected(flow).expect("a value"));
        let allows = flows.into_iter().any(|flow| flow.as_str() == Some("ALLOW_REFRESH_TOKEN_AUTH"));
        assert_eq!(allows, !rotates, "{tier}");
    }
}

#[test]
fn identity_sends_mails_through_ses() {
    let template = template(&[("MailIdentityArn", "arn:ses"), ("MailFrom", "IYAGI <a@iyagi.example>")]);
    let mail = property(&template, POOL, "EmailConfiguration").expect("a configuration");
    assert_eq!(mail["EmailSendingAccount"], "DEVELOPER");
    let values = [&mail["SourceArn"], &mail["From"]].map(|value| text(&template, value));
    assert_eq!(values, ["arn:ses", "IYAGI <a@iyagi.example>"]);
}

#[test]
fn tier_and_second_factor_are_those_of_the_parameters() {
    for (mfa, tier) in [("OPTIONAL", "LITE"), ("ON", "PLUS")] {
        let template = template(&[("Mfa", mfa), ("UserPoolTier", tier)]);
        let value = |name: &str| text(&template, &property(&template, POOL, name).expect("a value"));
        assert_eq!((value("MfaConfiguration").as_str(), value("UserPoolTier").as_str()), (mfa, tier));
        let factors = property(&template, POOL, "EnabledMfas").expect("factors");
        assert_eq!(factors.as_sequence().map(Vec::as_slice), Some(&[Yaml::from("SOFTWARE_TOKEN_MFA")][..]));
    }
}

#[test]
fn each_provider_needs_its_parameter_and_the_sign_in_pages() {
    let pages = ("SignInDomainPrefix", "iyagi");
    for (parameter, provider) in [
        ("AppleServicesId", "AppleProvider"),
        ("GoogleClientId", "GoogleProvider"),
        ("KakaoRestApiKey", "KakaoProvider"),
    ] {
        assert_eq!(providers(&template(&[(parameter, "id")])), (vec![], vec![]), "{parameter}");
        let with_pages = template(&[pages, (parameter, "id"), ("SignInSecretArn", "arn:secret")]);
        let supported = vec!["COGNITO".to_owned(), provider.to_owned()];
        assert_eq!(providers(&with_pages), (vec![provider.to_owned()], supported), "{parameter}");
        let deployed = with_pages.deployed(PROVIDER).expect("resources");
        let details = deployed[0].1["ProviderDetails"].as_mapping().expect("details");
        let values: Vec<_> = details.values().map(|value| text(&with_pages, value)).collect();
        assert!(values.contains(&"id".to_owned()), "{values:?}");
        let secrets =
            values.iter().filter(|value| value.starts_with("{{resolve:secretsmanager:arn:secret:SecretString:"));
        assert!(secrets.count() >= 1, "{values:?}");
    }
}

#[test]
fn sign_in_pages_lead_back_to_the_app_with_the_scope_of_the_api() {
    let template = template(&[("SignInDomainPrefix", "iyagi")]);
    assert_eq!(template.deployed(DOMAIN).expect("resources").len(), 1);
    assert_eq!(providers(&template), (vec![], vec!["COGNITO".to_owned()]));
    let list = |name: &str| property(&template, CLIENT, name).expect("a value");
    let scopes = list("AllowedOAuthScopes");
    let scopes: Vec<_> = scopes.as_sequence().expect("scopes").iter().filter_map(Yaml::as_str).collect();
    // Every route requires it.
    assert!(scopes.contains(&"aws.cognito.signin.user.admin"), "{scopes:?}");
    assert_eq!(list("AllowedOAuthFlows").as_sequence().map(Vec::len), Some(1));
    assert_eq!(text(&template, &list("CallbackURLs")), "iyagi://signed-in");
}
