//! Git's protocol over SSH, without an `ssh` program.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use russh::client::{AuthResult, Config, Handle, Handler, Msg};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh::{ChannelMsg, ChannelWriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream_reader::receiver;

use super::{Service, socks};
use crate::pkt::Source;
use crate::{Credentials, GitError, KnownHosts, Remote};

/// A running program on the server.
pub(crate) struct Connection {
    // Dropping it ends the connection.
    _handle: Handle<Client>,
    writer: ChannelWriteHalf<Msg>,
    complaints: Arc<Mutex<Vec<u8>>>,
}

/// Whether a private key needs a password.
pub fn is_encrypted_key(identity: &str) -> bool {
    matches!(
        decode_secret_key(identity, None),
        Err(russh::keys::Error::KeyIsEncrypted)
    )
}

struct Client {
    host: String,
    port: u16,
    known: KnownHosts,
    refused: Arc<Mutex<Option<&'static str>>>,
}

impl Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        match self.known.check(&self.host, self.port, &key.public_key()) {
            Ok(()) => Ok(true),
            Err(reason) => {
                *self.refused.lock() = Some(reason);
                Ok(false)
            }
        }
    }
}

impl Connection {
    pub(crate) async fn open(
        remote: &Remote,
        service: Service,
    ) -> Result<(Self, Source), GitError> {
        let (username, key) = key(remote)?;
        let url = &remote.url;
        let address = format!("{}:{}", url.host, url.effective_port());
        let stream = match &remote.proxy {
            Some(proxy) => socks::connect(&proxy.0, &url.host, url.effective_port()).await?,
            None => TcpStream::connect((url.host.as_str(), url.effective_port()))
                .await
                .map_err(|error| dial(&error, &address))?,
        };
        drop(stream.set_nodelay(true));
        let refused = Arc::new(Mutex::new(None));
        let client = Client {
            host: url.host.clone(),
            port: url.effective_port(),
            known: remote.auth.known_hosts.clone(),
            refused: Arc::clone(&refused),
        };
        let failed = |error: &russh::Error| {
            let reason = refused
                .lock()
                .map_or_else(|| error.to_string(), str::to_owned);
            GitError::Ssh(format!("ssh: handshake failed: {reason}"))
        };
        let mut handle =
            russh::client::connect_stream(config(&remote.auth.known_hosts), stream, client)
                .await
                .map_err(|error| failed(&error))?;
        authenticate(&mut handle, username, key).await?;
        let channel = handle
            .channel_open_session()
            .await
            .map_err(|error| failed(&error))?;
        // Servers that do not take it speak the old protocol.
        drop(channel.set_env(false, "GIT_PROTOCOL", "version=2").await);
        let command = format!("{} {}", service.name(), quoted(&url.path));
        channel
            .exec(false, command)
            .await
            .map_err(|error| failed(&error))?;
        let (mut reader, writer) = channel.split();
        let (sender, source) = receiver();
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&complaints);
        // Ends with the channel, which ends with the connection.
        tokio::spawn(async move {
            while let Some(message) = reader.wait().await {
                match message {
                    ChannelMsg::Data { data } => match sender.send(data).await {
                        Ok(()) => {}
                        Err(_) => break,
                    },
                    ChannelMsg::ExtendedData { data, .. } => {
                        let mut heard = heard.lock();
                        let room = (16_usize << 10).saturating_sub(heard.len()).min(data.len());
                        heard.extend_from_slice(&data[..room]);
                    }
                    _ => {}
                }
            }
        });
        Ok((
            Self {
                _handle: handle,
                writer,
                complaints,
            },
            source,
        ))
    }

    pub(crate) async fn write(&self, body: Vec<u8>) -> Result<(), GitError> {
        self.writer
            .data_bytes(body)
            .await
            .map_err(|error| GitError::Ssh(format!("ssh: {error}")))
    }

    /// What the server wrote to its standard error.
    pub(crate) fn complaint(&self) -> Option<GitError> {
        let text = String::from_utf8_lossy(&self.complaints.lock()).into_owned();
        let line = text
            .lines()
            .map(|line| line.trim_start_matches("remote:").trim());
        let line = line
            .into_iter()
            .find(|line| !line.is_empty() && !line.chars().all(|c| c == '='))?;
        if is_not_found(line) {
            return Some(GitError::RepositoryNotFound(String::new()));
        }
        Some(GitError::Protocol(format!("unknown error: {line}")))
    }
}

/// Source: go-git, plumbing/transport/internal/common, `isRepoNotFoundError`.
fn is_not_found(line: &str) -> bool {
    line.starts_with("ERROR: Repository not found")
        || line.contains("repository does not exist.")
        || line.contains("conq: repository does not exist")
        || line.starts_with("ERROR: The project you were looking for could not be found")
        || line.contains("does not appear to be a git repository")
        || line.contains("Gogs: Repository does not exist or you do not have access")
}

fn dial(error: &std::io::Error, address: &str) -> GitError {
    use std::io::ErrorKind;
    GitError::Ssh(match error.kind() {
        ErrorKind::ConnectionRefused => format!("dial tcp {address}: connect: connection refused"),
        ErrorKind::HostUnreachable => format!("dial tcp {address}: connect: no route to host"),
        ErrorKind::TimedOut => format!("dial tcp {address}: i/o timeout"),
        _ => format!("dial tcp {address}: {error}"),
    })
}

fn config(known: &KnownHosts) -> Arc<Config> {
    let mut preferred = russh::Preferred::DEFAULT;
    let algorithms = known.algorithms();
    if !algorithms.is_empty() {
        preferred.key = Cow::Owned(algorithms);
    }
    Arc::new(Config {
        preferred,
        inactivity_timeout: Some(std::time::Duration::from_secs(120)),
        ..Config::default()
    })
}

fn key(remote: &Remote) -> Result<(String, Arc<PrivateKey>), GitError> {
    let Credentials::Key {
        username,
        identity,
        passphrase,
    } = &remote.auth.credentials
    else {
        return Err(GitError::InvalidAuthMethod);
    };
    let passphrase = passphrase.as_deref().filter(|text| !text.is_empty());
    let key = decode_secret_key(identity, passphrase).or_else(|error| match passphrase {
        // A password that the key does not need is passed over.
        Some(_) => decode_secret_key(identity, None).map_err(|_| error),
        None => Err(error),
    });
    let key = key.map_err(|error| {
        GitError::Auth(match error {
            russh::keys::Error::KeyIsEncrypted => {
                "ssh: this private key is passphrase protected".to_owned()
            }
            russh::keys::Error::CouldNotReadKey => "ssh: no key found".to_owned(),
            _ if passphrase.is_some() => "x509: decryption password incorrect".to_owned(),
            _ => "ssh: no key found".to_owned(),
        })
    })?;
    Ok((username.clone(), Arc::new(key)))
}

async fn authenticate(
    handle: &mut Handle<Client>,
    username: String,
    key: Arc<PrivateKey>,
) -> Result<(), GitError> {
    let failed = |error: russh::Error| GitError::Ssh(format!("ssh: handshake failed: {error}"));
    let hash = if key.algorithm().is_rsa() {
        handle
            .best_supported_rsa_hash()
            .await
            .map_err(failed)?
            .flatten()
    } else {
        None
    };
    let key = PrivateKeyWithHashAlg::new(key, hash);
    match handle.authenticate_publickey(username, key).await.map_err(failed)? {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { .. } => Err(GitError::Ssh(
            "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain"
                .to_owned(),
        )),
    }
}

/// In quotes for the server's shell, as Git does.
fn quoted(path: &str) -> String {
    let mut quoted = String::from("'");
    for c in path.chars() {
        if c == '\'' || c == '!' {
            quoted.push_str("'\\");
            quoted.push(c);
            quoted.push('\'');
        } else {
            quoted.push(c);
        }
    }
    quoted.push('\'');
    quoted
}

/// Bytes from a channel as a stream.
mod tokio_stream_reader {
    use super::{Bytes, Source, mpsc};

    pub(super) fn receiver() -> (mpsc::Sender<Bytes>, Source) {
        let (sender, receiver) = mpsc::channel::<Bytes>(32);
        let stream = futures::stream::unfold(receiver, |mut receiver| async move {
            let bytes = receiver.recv().await?;
            Some((Ok::<_, std::io::Error>(bytes), receiver))
        });
        (
            sender,
            Box::pin(tokio_util::io::StreamReader::new(Box::pin(stream))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_shells() {
        assert_eq!(quoted("/a b.git"), "'/a b.git'");
        assert_eq!(quoted("/a';rm -rf /;'!"), r"'/a'\'';rm -rf /;'\'''\!''");
    }
}
