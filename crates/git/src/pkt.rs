//! Packets: the frames of Git's protocols.

use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::GitError;

/// Where packets come from.
pub(crate) type Source = Pin<Box<dyn AsyncRead + Send>>;

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Data(Vec<u8>),
    Flush,
    Delimiter,
    ResponseEnd,
    /// The stream is at its end.
    End,
}

/// Reads packets, and bytes up to a limit.
pub(crate) struct PacketReader {
    source: Source,
    left: u64,
    limit: u64,
    peeked: Option<Packet>,
}

impl PacketReader {
    pub(crate) fn new(source: Source, limit: u64) -> Self {
        Self {
            source,
            left: limit,
            limit,
            peeked: None,
        }
    }

    pub(crate) async fn peek(&mut self) -> Result<&Packet, GitError> {
        if self.peeked.is_none() {
            self.peeked = Some(self.read().await?);
        }
        Ok(self.peeked.as_ref().unwrap_or(&Packet::End))
    }

    pub(crate) async fn next(&mut self) -> Result<Packet, GitError> {
        match self.peeked.take() {
            Some(packet) => Ok(packet),
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Result<Packet, GitError> {
        let mut length = [0; 4];
        if !self.fill(&mut length, true).await? {
            return Ok(Packet::End);
        }
        let digits = std::str::from_utf8(&length).ok();
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(length) = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()) else {
            return Err(GitError::Protocol(
                "pkt-line: invalid pkt-len found".to_owned(),
            ));
        };
        match length {
            0 => Ok(Packet::Flush),
            1 => Ok(Packet::Delimiter),
            2 => Ok(Packet::ResponseEnd),
            3 => Err(GitError::Protocol(
                "pkt-line: invalid pkt-len found".to_owned(),
            )),
            length => {
                let length = length - 4;
                if (length as u64) > self.left {
                    return Err(GitError::TooLarge {
                        what: "bytes",
                        limit: self.limit,
                    });
                }
                self.left -= length as u64;
                let mut data = vec![0; length];
                self.fill(&mut data, false).await?;
                Ok(Packet::Data(data))
            }
        }
    }

    /// Fills the buffer. At the end of the stream gives `false` if it may end here.
    async fn fill(&mut self, buffer: &mut [u8], may_end: bool) -> Result<bool, GitError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]).await {
                Ok(0) if filled == 0 && may_end => return Ok(false),
                Ok(0) => return Err(GitError::Protocol("unexpected EOF".to_owned())),
                Ok(read) => filled += read,
                Err(error) => return Err(GitError::Protocol(reason(&error))),
            }
        }
        Ok(true)
    }
}

/// What broke a stream, as Go says it.
fn reason(error: &std::io::Error) -> String {
    if let Some(inner) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
    {
        return crate::transport::http::reason(inner);
    }
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
        std::io::ErrorKind::ConnectionReset => "connection reset by peer".to_owned(),
        _ => error.to_string(),
    }
}

/// Appends a packet with `text`.
pub(crate) fn data(out: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    out.extend_from_slice(format!("{:04x}", text.len() + 4).as_bytes());
    out.extend_from_slice(text);
}

pub(crate) fn flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

pub(crate) fn delimiter(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0001");
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn packets(bytes: &'static [u8]) -> Result<Vec<Packet>, GitError> {
        let mut reader = PacketReader::new(Box::pin(bytes), 1000);
        let mut packets = Vec::new();
        loop {
            match reader.next().await? {
                Packet::End => return Ok(packets),
                packet => packets.push(packet),
            }
        }
    }

    #[tokio::test]
    async fn packets_are_framed() {
        let mut bytes = Vec::new();
        data(&mut bytes, "hello\n");
        delimiter(&mut bytes);
        flush(&mut bytes);
        let bytes = bytes.leak();
        let expected = [
            Packet::Data(b"hello\n".to_vec()),
            Packet::Delimiter,
            Packet::Flush,
        ];
        assert_eq!(packets(bytes).await.unwrap(), expected);
        for broken in [&b"0003"[..], b"zzzz", b"00", b"0009x", b"ffffx", b"+004"] {
            assert!(packets(broken).await.is_err());
        }
    }
}
