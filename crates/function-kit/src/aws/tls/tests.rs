//! Handshakes in memory, with servers that can do one thing each.

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256};
use rustls::{
    ClientConnection, Connection, NamedGroup, ServerConfig, ServerConnection, SupportedProtocolVersion,
    crypto::ring::{ALL_CIPHER_SUITES, ALL_KX_GROUPS, default_provider},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};

use super::*;

/// A certificate that is its own authority.
struct Identity {
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

/// Of each kind that AWS has certificates of: RSA first, then both curves.
fn identities() -> [Identity; 3] {
    let rsa = KeyPair::from_pkcs8_pem_and_sign_algo(include_str!("rsa-key-of-tests.pem"), &PKCS_RSA_SHA256);
    let [p256, p384] = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384].map(KeyPair::generate_for);
    [rsa, p256, p384].map(|key| {
        let key = key.expect("a key");
        let names = CertificateParams::new(["aws.test".to_owned()]).expect("a name");
        let certificate = names.self_signed(&key).expect("a certificate").der().clone();
        Identity { key, certificate }
    })
}

/// The group that a function and a server of this identity agree upon: one of rustls's own, which can do only what
/// `provider` can.
fn agreed(
    (identity, trusted): (&Identity, &Identity),
    version: &'static SupportedProtocolVersion,
    provider: CryptoProvider,
) -> Result<NamedGroup, Error> {
    let key = PrivatePkcs8KeyDer::from(identity.key.serialize_der());
    let server = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])?
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.clone()], key.into())?;
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.clone())?;
    let mut server = Connection::from(ServerConnection::new(Arc::new(server))?);
    let name = "aws.test".try_into().expect("a name");
    let mut client = Connection::from(ClientConnection::new(Arc::new(trusting(roots)), name)?);
    while client.is_handshaking() || server.is_handshaking() {
        hand_over(&mut client, &mut server)?;
        hand_over(&mut server, &mut client)?;
    }
    Ok(client.negotiated_key_exchange_group().expect("a group").name())
}

fn hand_over(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).expect("memory");
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        to.read_tls(&mut rest).expect("memory");
        to.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn aes_is_agreed_upon_with_every_kind_of_certificate() {
    for (kind, identity) in ["RSA", "ECDSA", "ECDSA"].into_iter().zip(identities()) {
        for &suite in ALL_CIPHER_SUITES {
            let name = format!("{:?}", suite.suite());
            let version = if suite.tls13().is_some() { &TLS13 } else { &TLS12 };
            let only = CryptoProvider { cipher_suites: vec![suite], ..default_provider() };
            let expected = name.contains("AES") && (suite.tls13().is_some() || name.contains(&format!("_{kind}_")));
            let agreed = agreed((&identity, &identity), version, only);
            assert_eq!(agreed.is_ok(), expected, "{name} with {kind}: {agreed:?}");
        }
    }
}

#[test]
fn every_group_is_agreed_upon() {
    let [identity, ..] = identities();
    for &group in ALL_KX_GROUPS {
        for version in [&TLS12, &TLS13] {
            let only = CryptoProvider { kx_groups: vec![group], ..default_provider() };
            assert_eq!(agreed((&identity, &identity), version, only), Ok(group.name()));
        }
    }
}

#[test]
fn who_is_not_trusted_is_refused() {
    let [one, other, _] = identities();
    for version in [&TLS12, &TLS13] {
        let agreed = agreed((&one, &other), version, default_provider());
        assert!(matches!(agreed, Err(Error::InvalidCertificate(_))), "{agreed:?}");
    }
}
