//! The server's certificates: an authority of its own, kept beside the database.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::server::StartError;

/// What a listener needs for TLS, and clients to trust it.
pub struct Tls {
    /// The authority's certificate, for kubeconfigs.
    pub authority_pem: String,
    config: Arc<rustls::ServerConfig>,
}

fn failed(error: impl std::fmt::Display) -> StartError {
    StartError::Tls(error.to_string())
}

impl Tls {
    /// An authority that lives as long as the process.
    pub fn ephemeral(hosts: &[String]) -> Result<Self, StartError> {
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = authority(&key)?;
        Self::new(key, certificate, hosts)
    }

    /// The authority in a directory, made on first use, so that kubeconfigs stay valid.
    pub fn in_directory(directory: &Path, hosts: &[String]) -> Result<Self, StartError> {
        let path = directory.join("ca.pem");
        let (key, certificate) = match std::fs::read_to_string(&path) {
            Ok(text) => {
                let key = KeyPair::from_pem(&text).map_err(failed)?;
                let certificate = text
                    .find("-----BEGIN CERTIFICATE-----")
                    .map(|start| text[start..].to_owned())
                    .ok_or_else(|| failed(format!("{}: no certificate", path.display())))?;
                (key, certificate)
            }
            Err(_) => {
                std::fs::create_dir_all(directory)?;
                let key = KeyPair::generate().map_err(failed)?;
                let certificate = authority(&key)?;
                write_private(&path, &format!("{}{certificate}", key.serialize_pem()))?;
                (key, certificate)
            }
        };
        Self::new(key, certificate, hosts)
    }

    fn new(key: KeyPair, authority_pem: String, hosts: &[String]) -> Result<Self, StartError> {
        let issuer = Issuer::new(authority_params(), key);
        let mut params = CertificateParams::new(hosts.to_vec()).map_err(failed)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "sluice-apiserver");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&server_key, &issuer).map_err(failed)?;
        let chain = vec![
            certificate.der().clone(),
            CertificateDer::from_pem_slice(authority_pem.as_bytes()).map_err(failed)?,
        ];
        let private = PrivateKeyDer::try_from(server_key.serialize_der()).map_err(failed)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            authority_pem,
            config: Arc::new(config),
        })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

fn authority(key: &KeyPair) -> Result<String, StartError> {
    Ok(authority_params().self_signed(key).map_err(failed)?.pem())
}

/// What the authority's certificate says; the same at every start, so that its key is all that an
/// issuer needs.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "sluice-ca");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> Result<(), StartError> {
    use std::io::Write as _;
    let mut options = std::fs::File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())?;
    Ok(())
}
