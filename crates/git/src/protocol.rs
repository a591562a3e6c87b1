//! Listing references and fetching, in version 2 of Git's protocol and in the old one.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use gix_hash::ObjectId;
use tokio::sync::mpsc::Sender;

use crate::pkt::{self, Packet};
use crate::transport::{Service, Wire};
use crate::{GitError, Remote};

const AGENT: &str = concat!("agent=sluice/", env!("CARGO_PKG_VERSION"));
/// The largest answer to a listing.
const MAX_LISTING: u64 = 256 << 20;
/// As deep as depths go: all of the history.
const INFINITE: u32 = 0x7fff_ffff;

/// A reference on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteRef {
    pub(crate) name: String,
    pub(crate) id: ObjectId,
    /// What an annotated tag leads to.
    pub(crate) peeled: Option<ObjectId>,
}

impl RemoteRef {
    /// The object that is no tag.
    pub(crate) fn target(&self) -> ObjectId {
        self.peeled.unwrap_or(self.id)
    }
}

/// What to fetch.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) wants: Vec<ObjectId>,
    /// What is here, with everything it needs but its history.
    pub(crate) haves: Vec<ObjectId>,
    /// What is here without its history.
    pub(crate) shallow: BTreeSet<ObjectId>,
    /// How many commits of each history, all where it is `None`.
    pub(crate) depth: Option<u32>,
    /// The largest answer.
    pub(crate) limit: u64,
}

/// How the shallow commits changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shallow {
    pub(crate) added: Vec<ObjectId>,
    pub(crate) removed: Vec<ObjectId>,
}

enum Version {
    Old {
        references: Vec<RemoteRef>,
        capabilities: Vec<String>,
    },
    Two {
        capabilities: BTreeMap<String, String>,
    },
}

/// A conversation in which references can be listed, and then objects fetched.
pub(crate) struct Session {
    wire: Wire,
    version: Version,
}

impl Session {
    pub(crate) async fn open(remote: &Remote) -> Result<Self, GitError> {
        let mut wire = Wire::open(remote, Service::UploadPack).await?;
        let version = advertisement(&mut wire).await?;
        Ok(Self { wire, version })
    }

    /// The references whose names start with one of `prefixes`; all where there are none.
    pub(crate) async fn list(&mut self, prefixes: &[&str]) -> Result<Vec<RemoteRef>, GitError> {
        let capabilities = match &self.version {
            Version::Old { references, .. } => {
                let is_wanted = |name: &str| {
                    prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix))
                };
                return Ok(references
                    .iter()
                    .filter(|reference| is_wanted(&reference.name))
                    .cloned()
                    .collect());
            }
            Version::Two { capabilities } => capabilities,
        };
        let mut body = Vec::new();
        command(&mut body, "ls-refs", capabilities);
        pkt::data(&mut body, "peel\n");
        for prefix in prefixes {
            pkt::data(&mut body, format!("ref-prefix {prefix}\n"));
        }
        pkt::flush(&mut body);
        self.wire.send(body, MAX_LISTING).await?;
        let mut references = Vec::new();
        loop {
            match self.wire.packets.next().await? {
                Packet::Data(line) => references.extend(listed(&text(line)?)?),
                Packet::Flush => return Ok(references),
                _ => return Err(self.ended()),
            }
        }
    }

    /// Fetches, and hands the pack on as it comes.
    pub(crate) async fn fetch(
        &mut self,
        request: &Request,
        pack: &Sender<Bytes>,
    ) -> Result<Shallow, GitError> {
        let body = match &self.version {
            Version::Two { capabilities } => request_two(request, capabilities)?,
            Version::Old { capabilities, .. } => request_old(request, capabilities)?,
        };
        self.wire.send(body, request.limit).await?;
        let shallow = match &self.version {
            Version::Two { .. } => self.sections().await?,
            Version::Old { .. } => self.acknowledgements(request).await?,
        };
        self.pack(pack).await?;
        Ok(shallow)
    }

    /// What comes before the pack in version 2.
    async fn sections(&mut self) -> Result<Shallow, GitError> {
        let mut shallow = Shallow::default();
        loop {
            let header = match self.wire.packets.next().await? {
                Packet::Data(line) => text(line)?,
                _ => return Err(self.ended()),
            };
            match header.trim_end() {
                "packfile" => return Ok(shallow),
                "shallow-info" | "acknowledgments" | "wanted-refs" | "packfile-uris" => {}
                other => return Err(refusal(other)),
            }
            loop {
                match self.wire.packets.next().await? {
                    Packet::Data(line) => shallow_line(&text(line)?, &mut shallow)?,
                    Packet::Delimiter => break,
                    _ => return Err(self.ended()),
                }
            }
        }
    }

    /// What comes before the pack in the old protocol.
    async fn acknowledgements(&mut self, request: &Request) -> Result<Shallow, GitError> {
        let mut shallow = Shallow::default();
        if depth(request).is_some() {
            loop {
                match self.wire.packets.next().await? {
                    Packet::Data(line) => shallow_line(&text(line)?, &mut shallow)?,
                    Packet::Flush => break,
                    _ => return Err(self.ended()),
                }
            }
        }
        loop {
            match self.wire.packets.peek().await? {
                Packet::Data(line) if matches!(line.first(), Some(1..=3)) => return Ok(shallow),
                Packet::Data(line) => {
                    let line = String::from_utf8_lossy(line).into_owned();
                    if !line.starts_with("ACK") && !line.starts_with("NAK") {
                        return Err(refusal(line.trim_end()));
                    }
                    self.wire.packets.next().await?;
                }
                _ => return Err(self.ended()),
            }
        }
    }

    /// Takes the pack out of the bands.
    async fn pack(&mut self, pack: &Sender<Bytes>) -> Result<(), GitError> {
        loop {
            let mut data = match self.wire.packets.next().await? {
                Packet::Data(data) => Bytes::from(data),
                Packet::Flush | Packet::ResponseEnd => return Ok(()),
                _ => return Err(self.ended()),
            };
            match data.first() {
                Some(1) => {
                    let data = data.split_off(1);
                    if pack.send(data).await.is_err() {
                        // The other end tells why it gave up.
                        return Ok(());
                    }
                }
                Some(2) => {}
                Some(3) => return Err(refusal(String::from_utf8_lossy(&data[1..]).trim())),
                _ => return Err(GitError::Protocol("unknown channel in a pack".to_owned())),
            }
        }
    }

    fn ended(&self) -> GitError {
        self.wire
            .complaint()
            .unwrap_or_else(|| GitError::Protocol("unexpected EOF".to_owned()))
    }
}

fn text(line: Vec<u8>) -> Result<String, GitError> {
    let line = String::from_utf8(line)
        .map_err(|_| GitError::Protocol("an answer is not UTF-8".to_owned()))?;
    match line.strip_prefix("ERR ") {
        Some(error) => Err(refusal(error.trim_end())),
        None => Ok(line),
    }
}

fn refusal(text: &str) -> GitError {
    let text = text.strip_prefix("ERR ").unwrap_or(text);
    if text.contains("not our ref") {
        return GitError::ObjectNotFound;
    }
    if text.contains("epository not found")
        || text.contains("does not appear to be a git repository")
    {
        return GitError::RepositoryNotFound(String::new());
    }
    GitError::Protocol(text.to_owned())
}

fn command(body: &mut Vec<u8>, name: &str, capabilities: &BTreeMap<String, String>) {
    pkt::data(body, format!("command={name}\n"));
    if capabilities.contains_key("agent") {
        pkt::data(body, AGENT);
    }
    if capabilities.contains_key("object-format") {
        pkt::data(body, "object-format=sha1");
    }
    pkt::delimiter(body);
}

/// The depth to ask for. What is shallow here has to be made complete explicitly.
fn depth(request: &Request) -> Option<u32> {
    request
        .depth
        .or((!request.shallow.is_empty()).then_some(INFINITE))
}

fn request_two(
    request: &Request,
    capabilities: &BTreeMap<String, String>,
) -> Result<Vec<u8>, GitError> {
    let features = capabilities
        .get("fetch")
        .map(String::as_str)
        .unwrap_or_default();
    if depth(request).is_some() && !features.split(' ').any(|feature| feature == "shallow") {
        return Err(GitError::Protocol(
            "server does not support shallow clients".to_owned(),
        ));
    }
    let mut body = Vec::new();
    command(&mut body, "fetch", capabilities);
    for word in ["thin-pack\n", "no-progress\n", "ofs-delta\n"] {
        pkt::data(&mut body, word);
    }
    for id in &request.shallow {
        pkt::data(&mut body, format!("shallow {id}\n"));
    }
    if let Some(depth) = depth(request) {
        pkt::data(&mut body, format!("deepen {depth}\n"));
    }
    for id in &request.wants {
        pkt::data(&mut body, format!("want {id}\n"));
    }
    for id in &request.haves {
        pkt::data(&mut body, format!("have {id}\n"));
    }
    pkt::data(&mut body, "done\n");
    pkt::flush(&mut body);
    Ok(body)
}

fn request_old(request: &Request, capabilities: &[String]) -> Result<Vec<u8>, GitError> {
    let can = |name: &str| capabilities.iter().any(|capability| capability == name);
    if depth(request).is_some() && !can("shallow") {
        return Err(GitError::Protocol(
            "server does not support shallow clients".to_owned(),
        ));
    }
    if !can("side-band-64k") {
        return Err(GitError::Protocol(
            "server does not support side-band-64k".to_owned(),
        ));
    }
    let mut words: Vec<&str> = ["side-band-64k", "thin-pack", "ofs-delta", "no-progress"]
        .into_iter()
        .filter(|word| can(word))
        .collect();
    words.push(AGENT);
    let mut body = Vec::new();
    for (at, id) in request.wants.iter().enumerate() {
        match at {
            0 => pkt::data(&mut body, format!("want {id} {}\n", words.join(" "))),
            _ => pkt::data(&mut body, format!("want {id}\n")),
        }
    }
    for id in &request.shallow {
        pkt::data(&mut body, format!("shallow {id}\n"));
    }
    if let Some(depth) = depth(request) {
        pkt::data(&mut body, format!("deepen {depth}\n"));
    }
    pkt::flush(&mut body);
    for id in &request.haves {
        pkt::data(&mut body, format!("have {id}\n"));
    }
    pkt::data(&mut body, "done\n");
    Ok(body)
}

fn shallow_line(line: &str, shallow: &mut Shallow) -> Result<(), GitError> {
    let line = line.trim_end();
    if let Some(id) = line.strip_prefix("shallow ") {
        shallow.added.push(parse_id(id)?);
    } else if let Some(id) = line.strip_prefix("unshallow ") {
        shallow.removed.push(parse_id(id)?);
    }
    Ok(())
}

pub(crate) fn parse_id(text: &str) -> Result<ObjectId, GitError> {
    let id = ObjectId::from_hex(text.as_bytes())
        .map_err(|_| GitError::Protocol("an object id is not valid".to_owned()))?;
    if id.kind() == gix_hash::Kind::Sha1 {
        Ok(id)
    } else {
        Err(GitError::Protocol(
            "only SHA-1 repositories are supported".to_owned(),
        ))
    }
}

/// A line of version 2's listing: `<id> <name>[ symref-target:…][ peeled:…]`.
fn listed(line: &str) -> Result<Option<RemoteRef>, GitError> {
    let mut words = line.trim_end().split(' ');
    let (Some(id), Some(name)) = (words.next(), words.next()) else {
        return Err(GitError::Protocol(
            "a reference has a wrong form".to_owned(),
        ));
    };
    if id == "unborn" {
        return Ok(None);
    }
    let peeled = words.find_map(|word| word.strip_prefix("peeled:"));
    let peeled = peeled.map(parse_id).transpose()?;
    Ok(Some(RemoteRef {
        name: name.to_owned(),
        id: parse_id(id)?,
        peeled,
    }))
}

async fn advertisement(wire: &mut Wire) -> Result<Version, GitError> {
    let mut lines = Vec::new();
    let mut is_first = true;
    loop {
        match wire.packets.next().await? {
            Packet::Data(line) => {
                // The references come as bytes; those of other encodings are passed over.
                let line = String::from_utf8_lossy(&line).into_owned();
                if let Some(error) = line.strip_prefix("ERR ") {
                    return Err(refusal(error.trim_end()));
                }
                if is_first && line.starts_with("# service=") {
                    // A flush ends this part.
                    if wire.packets.peek().await? == &Packet::Flush {
                        wire.packets.next().await?;
                    }
                } else {
                    lines.push(line.trim_end_matches('\n').to_owned());
                }
                is_first = false;
            }
            Packet::Flush => break,
            _ if lines.is_empty() => {
                return Err(wire
                    .complaint_soon()
                    .await
                    .unwrap_or_else(|| GitError::Protocol("unexpected EOF".to_owned())));
            }
            _ => return Err(GitError::Protocol("unexpected EOF".to_owned())),
        }
    }
    match lines.first().map(String::as_str) {
        Some("version 2") => Ok(version_two(&lines[1..])),
        Some("version 1") => old(&lines[1..]),
        _ => old(&lines),
    }
}

fn version_two(lines: &[String]) -> Version {
    let pair = |line: &String| {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        (name.to_owned(), value.to_owned())
    };
    Version::Two {
        capabilities: lines.iter().map(pair).collect(),
    }
}

fn old(lines: &[String]) -> Result<Version, GitError> {
    let mut references: Vec<RemoteRef> = Vec::new();
    let mut capabilities = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut line = line.as_str();
        if at == 0
            && let Some((first, words)) = line.split_once('\0')
        {
            line = first;
            capabilities = words.split(' ').map(str::to_owned).collect();
        }
        if line.starts_with("shallow ") {
            continue;
        }
        let Some((id, name)) = line.split_once(' ') else {
            return Err(GitError::Protocol(
                "a reference has a wrong form".to_owned(),
            ));
        };
        let id = parse_id(id)?;
        if let Some(tag) = name.strip_suffix("^{}") {
            if let Some(last) = references.last_mut().filter(|last| last.name == tag) {
                last.peeled = Some(id);
            }
        } else if !id.is_null() {
            references.push(RemoteRef {
                name: name.to_owned(),
                id,
                peeled: None,
            });
        }
    }
    Ok(Version::Old {
        references,
        capabilities,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1111111111111111111111111111111111111111";
    const PEELED: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn listings_are_read() {
        let reference = listed(&format!("{ID} refs/tags/v1 peeled:{PEELED}\n"))
            .unwrap()
            .unwrap();
        assert_eq!(
            (reference.name.as_str(), reference.target()),
            ("refs/tags/v1", parse_id(PEELED).unwrap())
        );
        assert!(
            listed("unborn HEAD symref-target:refs/heads/main\n")
                .unwrap()
                .is_none()
        );
        assert!(listed("x").is_err());
        assert!(listed("zz refs/heads/main").is_err());
    }

    #[test]
    fn old_advertisements_are_read() {
        let lines = [
            format!("{ID} HEAD\0side-band-64k shallow"),
            format!("{ID} refs/tags/v1"),
            format!("{PEELED} refs/tags/v1^{{}}"),
        ];
        let Version::Old {
            references,
            capabilities,
        } = old(&lines).unwrap()
        else {
            panic!()
        };
        assert_eq!(references.len(), 2);
        assert_eq!(references[1].peeled, Some(parse_id(PEELED).unwrap()));
        assert_eq!(capabilities, ["side-band-64k", "shallow"]);
        let empty = [format!("{} capabilities^{{}}\0agent=x", "0".repeat(40))];
        assert!(
            matches!(old(&empty).unwrap(), Version::Old { references, .. } if references.is_empty())
        );
    }
}
