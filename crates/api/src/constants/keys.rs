//! Keys of Secrets and ConfigMaps that Flux objects refer to.

/// A login.
pub const USERNAME: &str = "username";
/// A login; also the password of an SSH key.
pub const PASSWORD: &str = "password";
/// A login over HTTPS.
pub const BEARER_TOKEN: &str = "bearerToken";
/// The certificate authority.
pub const CA_CERT: &str = "ca.crt";
/// A client certificate.
pub const TLS_CERT: &str = "tls.crt";
/// The key of that.
pub const TLS_KEY: &str = "tls.key";
/// The certificate authority, in old Secrets.
pub const OLD_CA_CERT: &str = "caFile";
/// A client certificate, in old Secrets.
pub const OLD_TLS_CERT: &str = "certFile";
/// The key of that, in old Secrets.
pub const OLD_TLS_KEY: &str = "keyFile";
/// An SSH key.
pub const SSH_IDENTITY: &str = "identity";
/// The public part of an SSH key.
pub const SSH_IDENTITY_PUBLIC: &str = "identity.pub";
/// The keys of SSH servers.
pub const SSH_KNOWN_HOSTS: &str = "known_hosts";
/// A GitHub App.
pub const GITHUB_APP_ID: &str = "githubAppID";
/// The installation of a GitHub App.
pub const GITHUB_APP_INSTALLATION_ID: &str = "githubAppInstallationID";
/// The account that a GitHub App is installed in.
pub const GITHUB_APP_INSTALLATION_OWNER: &str = "githubAppInstallationOwner";
/// The key of a GitHub App.
pub const GITHUB_APP_PRIVATE_KEY: &str = "githubAppPrivateKey";
/// The address of a GitHub server of one's own.
pub const GITHUB_APP_BASE_URL: &str = "githubAppBaseURL";
/// The address of a proxy, a provider or a cluster.
pub const ADDRESS: &str = "address";
/// The token of a provider or receiver.
pub const TOKEN: &str = "token";
/// Headers for a provider, as YAML.
pub const HEADERS: &str = "headers";
/// The address of a proxy for a provider.
pub const PROXY: &str = "proxy";
/// The account that calls a receiver of type gcr.
pub const EMAIL: &str = "email";
/// The audience of its tokens.
pub const AUDIENCE: &str = "audience";
/// Logins for registries.
pub const DOCKER_CONFIG: &str = ".dockerconfigjson";
/// A login for a bucket.
pub const ACCESS_KEY: &str = "accesskey";
/// A login for a bucket.
pub const SECRET_KEY: &str = "secretkey";
/// A login for a bucket of Google Cloud.
pub const SERVICE_ACCOUNT: &str = "serviceaccount";
/// A login for a bucket of Azure.
pub const AZURE_TENANT_ID: &str = "tenantId";
/// A login for a bucket of Azure.
pub const AZURE_CLIENT_ID: &str = "clientId";
/// A login for a bucket of Azure.
pub const AZURE_CLIENT_SECRET: &str = "clientSecret";
/// A login for a bucket of Azure.
pub const AZURE_CLIENT_CERTIFICATE: &str = "clientCertificate";
/// The password of that certificate.
pub const AZURE_CLIENT_CERTIFICATE_PASSWORD: &str = "clientCertificatePassword";
/// Whether to send the chain of that certificate.
pub const AZURE_CLIENT_CERTIFICATE_SEND_CHAIN: &str = "clientCertificateSendChain";
/// The server to log in to.
pub const AZURE_AUTHORITY_HOST: &str = "authorityHost";
/// A login for a bucket of Azure.
pub const AZURE_ACCOUNT_KEY: &str = "accountKey";
/// A login for a bucket of Azure.
pub const AZURE_SAS_KEY: &str = "sasKey";
/// The end of keys that hold age keys.
pub const AGE_KEY_SUFFIX: &str = ".agekey";
/// The end of keys that hold PGP keys.
pub const PGP_KEY_SUFFIX: &str = ".asc";
/// A login for AWS KMS.
pub const SOPS_AWS: &str = "sops.aws-kms";
/// A login for Azure Key Vault.
pub const SOPS_AZURE: &str = "sops.azure-kv";
/// A login for Google Cloud KMS.
pub const SOPS_GCP: &str = "sops.gcp-kms";
/// A token for Vault.
pub const SOPS_VAULT: &str = "sops.vault-token";
/// A kubeconfig file.
pub const KUBECONFIG: &str = "value";
/// A kubeconfig file, looked for second.
pub const KUBECONFIG_YAML: &str = "value.yaml";
/// How to log in to a cluster.
pub const CLUSTER_PROVIDER: &str = "provider";
/// The name of a cluster at its provider.
pub const CLUSTER: &str = "cluster";
/// The audiences of a token for a cluster, one a line.
pub const AUDIENCES: &str = "audiences";
/// The ServiceAccount that logs in to a cluster.
pub const SERVICE_ACCOUNT_NAME: &str = "serviceAccountName";
/// Values of a HelmRelease.
pub const VALUES: &str = "values.yaml";
/// The end of keys that hold public keys of Cosign.
pub const COSIGN_KEY_SUFFIX: &str = ".pub";
/// The trust policy of Notation.
pub const NOTATION_POLICY: &str = "trustpolicy.json";
/// The end of keys that hold certificates of Notation.
pub const NOTATION_CERT_SUFFIX: &str = ".crt";
/// The end of keys that hold certificates of Notation.
pub const NOTATION_PEM_SUFFIX: &str = ".pem";
/// The trusted root of a Sigstore.
pub const TRUSTED_ROOT: &str = "trusted_root.json";
/// A GPG key to sign commits with.
pub const GPG_KEY: &str = "git.asc";
/// The passphrase of that key.
pub const GPG_PASSPHRASE: &str = "passphrase";
