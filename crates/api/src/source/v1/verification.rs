//! Signatures of OCI artifacts.

use api_derive::shape;

use crate::meta::LocalObjectReference;

/// How to check the signature of an OCI artifact.
#[shape]
pub struct OciVerification {
    /// Who may have signed without a key, when Cosign is used. One has to match.
    #[shape(name = "matchOIDCIdentity")]
    pub match_oidc_identity: Option<Vec<OciIdentity>>,
    /// The technology of the signature.
    #[shape(one_of("cosign", "notation"), default("cosign"))]
    pub provider: String,
    /// A Secret with the public keys, or the trust policy, that signatures are checked against.
    pub secret_ref: Option<LocalObjectReference>,
}

/// Who has signed, in regular expressions.
#[shape]
pub struct OciIdentity {
    /// Matches the issuer of the token.
    pub issuer: String,
    /// Matches the identity in the certificate.
    pub subject: String,
}
