//! Connections to servers: one conversation about one repository.

pub(crate) mod http;
pub(crate) mod socks;
pub(crate) mod ssh;

use crate::pkt::PacketReader;
use crate::{GitError, Remote, Scheme};

/// The largest answer that is not a pack.
const MAX_ANSWER: u64 = 256 << 20;

/// What the server is asked to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    UploadPack,
}

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
        }
    }
}

/// A conversation: requests go out, packets come in.
pub(crate) struct Wire {
    link: Link,
    /// What comes in.
    pub(crate) packets: PacketReader,
}

enum Link {
    Http(http::Connection),
    Ssh(ssh::Connection),
}

impl Wire {
    /// Connects; the server's advertisement comes first.
    pub(crate) async fn open(remote: &Remote, service: Service) -> Result<Self, GitError> {
        match remote.url.scheme {
            Scheme::Http | Scheme::Https => {
                let (connection, source) = http::Connection::open(remote, service).await?;
                Ok(Self {
                    link: Link::Http(connection),
                    packets: PacketReader::new(source, MAX_ANSWER),
                })
            }
            Scheme::Ssh => {
                let (connection, source) = ssh::Connection::open(remote, service).await?;
                Ok(Self {
                    link: Link::Ssh(connection),
                    packets: PacketReader::new(source, u64::MAX),
                })
            }
        }
    }

    /// Sends a request, the answer to which is at most so large.
    pub(crate) async fn send(&mut self, body: Vec<u8>, limit: u64) -> Result<(), GitError> {
        match &mut self.link {
            Link::Http(connection) => {
                self.packets = PacketReader::new(connection.post(body).await?, limit);
                Ok(())
            }
            Link::Ssh(connection) => connection.write(body).await,
        }
    }

    /// The same, with some time for it to arrive.
    pub(crate) async fn complaint_soon(&mut self) -> Option<GitError> {
        for _ in 0..10 {
            if let Some(complaint) = self.complaint() {
                return Some(complaint);
            }
            if matches!(self.link, Link::Http(_)) {
                return None;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        None
    }

    /// What the server said apart, where the conversation ended too early.
    pub(crate) fn complaint(&self) -> Option<GitError> {
        match &self.link {
            Link::Http(_) => None,
            Link::Ssh(connection) => connection.complaint(),
        }
    }
}
