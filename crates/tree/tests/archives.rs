//! What is written is read by others, and what others write is read or refused.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tree::unpack::{Limits, UnpackError, read};
use tree::{Blobs, ContentId, Entry, FileSystem, Ignore, Tree, archive};

struct Texts(BTreeMap<ContentId, Arc<[u8]>>);

impl Blobs for Texts {
    fn read(&self, id: &ContentId) -> std::io::Result<Arc<[u8]>> {
        self.0
            .get(id)
            .cloned()
            .ok_or(std::io::ErrorKind::NotFound.into())
    }
}

/// Files by content; `@target` is a link, `x:` an executable, an empty text an empty folder.
fn tree(files: &[(&str, &str)]) -> Tree {
    let mut entries = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for (at, (path, text)) in files.iter().enumerate() {
        let mut bytes = [0; 32];
        bytes[0] = at as u8;
        let id = ContentId::sha256(bytes);
        let entry = match text.strip_prefix('@') {
            Some(target) => Entry::Link(target.into()),
            None if text.is_empty() => Entry::Folder,
            None => {
                texts.insert(id, text.as_bytes().into());
                Entry::File {
                    id,
                    size: None,
                    executable: text.starts_with("x:"),
                }
            }
        };
        entries.insert(PathBuf::from(path), entry);
    }
    Tree::new(entries, Arc::new(Texts(texts)))
}

fn packed(tree: &Tree, ignore: &Ignore) -> Vec<u8> {
    let mut bytes = Vec::new();
    archive::write(tree, ignore, &mut bytes).unwrap();
    bytes
}

/// `name mode content` of each entry, as another program's library sees it.
fn listing(archive: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let header = entry.header();
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (0, 0));
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        format!("{path} {:o} {text}", header.mode().unwrap())
    });
    entries.collect()
}

fn unpack(archive: &[u8]) -> Result<Tree, UnpackError> {
    read(archive, &std::env::temp_dir(), Limits::default())
}

#[test]
fn archives_are_as_fluxs() {
    let tree = tree(&[
        ("a/z.yaml", "z"),
        ("a-b.yaml", "ab"),
        ("a/b/run.sh", "x:run"),
        ("img/logo.png", "png"),
        ("link", "@a/z.yaml"),
        ("empty", ""),
        (".gitignore", "*.txt"),
        (".github/workflows/x.yaml", "x"),
    ]);
    let listed = listing(&packed(&tree, &Ignore::defaults()));
    let expected = [
        ". 750 ",
        "a 750 ",
        "a/b 750 ",
        "a/b/run.sh 700 x:run",
        "a/z.yaml 600 z",
        "a-b.yaml 600 ab",
        "empty 750 ",
        "img 750 ",
    ];
    assert_eq!(listed, expected);
    let archived = tree.archived(&Ignore::defaults());
    assert_eq!(
        archived.list(Path::new("/")).unwrap(),
        ["a", "a-b.yaml", "empty", "img"]
    );
    assert!(archived.is_dir(Path::new("/img")));
    assert!(archived.list(Path::new("/img")).unwrap().is_empty());
}

#[test]
fn long_and_foreign_names_survive() {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(90));
    let longer = format!("{}/{}.yaml", "d".repeat(60), "g".repeat(180));
    let tree = tree(&[(&long, "1"), (&longer, "2"), ("ünïcode.yaml", "3")]);
    let archive = packed(&tree, &Ignore::default());
    let listed = listing(&archive);
    for name in [&long, &longer, "ünïcode.yaml"] {
        assert!(
            listed
                .iter()
                .any(|line| line.starts_with(&format!("{name} 600"))),
            "{name}: {listed:?}"
        );
    }
    let again = unpack(&archive).unwrap();
    assert_eq!(
        &*again.read(Path::new("/").join(&longer).as_path()).unwrap(),
        b"2"
    );
    assert_eq!(packed(&again, &Ignore::default()), archive);
}

type Prepare<'a> = &'a dyn Fn(&mut tar::Header);

fn made(entries: &[(&str, &[u8], Prepare<'_>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content, prepare) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        prepare(&mut header);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn link_to(target: &str) -> impl Fn(&mut tar::Header) {
    let target = target.to_owned();
    move |header| {
        header.set_entry_type(tar::EntryType::Symlink);
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
    }
}

fn plain(_: &mut tar::Header) {}

#[test]
fn nothing_leads_out() {
    for name in ["../a", "/etc/passwd", "a/../../b", "a\\..\\b"] {
        let archive = made(&[(name, b"x", &plain)]);
        assert!(
            matches!(unpack(&archive), Err(UnpackError::Escapes(_))),
            "{name}"
        );
    }
    for target in ["/etc/passwd", "../../etc", "b/../../../c"] {
        let archive = made(&[("d/link", b"", &link_to(target))]);
        assert!(
            matches!(unpack(&archive), Err(UnpackError::Escapes(_))),
            "{target}"
        );
    }
    let through = made(&[("link", b"", &link_to("d")), ("link/x", b"x", &plain)]);
    assert!(matches!(unpack(&through), Err(UnpackError::Escapes(_))));
    let inside = made(&[("d/link", b"", &link_to("../e/x")), ("e/x", b"x", &plain)]);
    assert_eq!(
        &*unpack(&inside).unwrap().read(Path::new("/d/link")).unwrap(),
        b"x"
    );
    let hard = made(&[("h", b"", &|header| {
        header.set_entry_type(tar::EntryType::Link)
    })]);
    assert!(matches!(unpack(&hard), Err(UnpackError::Kind(_))));
}

#[test]
fn sizes_must_agree() {
    let pax = made(&[
        ("PaxHeaders.0/a", b"12 size=512\n", &|header| {
            header.set_entry_type(tar::EntryType::XHeader)
        }),
        ("a", b"12345", &plain),
    ]);
    assert!(matches!(unpack(&pax), Err(UnpackError::AmbiguousSize(_))));
}

#[test]
fn bombs_and_fragments_are_refused() {
    let zeros = vec![0; 64 << 20];
    let bomb = packed_best(&zeros);
    let refused = unpack(&bomb);
    assert!(matches!(
        refused,
        Err(UnpackError::TooLarge {
            what: "bytes for each compressed byte",
            ..
        })
    ));
    let limits = Limits {
        bytes: 10,
        ..Limits::default()
    };
    let large = made(&[("a", b"12345678901", &plain)]);
    assert!(matches!(
        read(&*large, &std::env::temp_dir(), limits),
        Err(UnpackError::TooLarge { what: "bytes", .. })
    ));
    let limits = Limits {
        entries: 2,
        ..Limits::default()
    };
    let many = made(&[("a", b"", &plain), ("b", b"", &plain), ("c", b"", &plain)]);
    assert!(matches!(
        read(&*many, &std::env::temp_dir(), limits),
        Err(UnpackError::TooLarge {
            what: "entries",
            ..
        })
    ));
    let deep = made(&[(&"d/".repeat(45), b"", &plain)]);
    let limits = Limits {
        depth: 40,
        ..Limits::default()
    };
    assert!(read(&*deep, &std::env::temp_dir(), limits).is_err());
    for length in 0..large.len() - 1 {
        assert!(unpack(&large[..length]).is_err(), "{length}");
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&[b'x'; 1024]).unwrap();
    assert!(matches!(
        unpack(&encoder.finish().unwrap()),
        Err(UnpackError::Malformed(_))
    ));
}

#[test]
fn trees_can_be_put_into_trees() {
    let inner = tree(&[("x.yaml", "inner"), ("sub/y.yaml", "y")]);
    let outer = tree(&[("a.yaml", "a"), ("lib/old.yaml", "old")]);
    let both = outer
        .with(Path::new("lib"), &inner.below(Path::new("sub")))
        .unwrap();
    let paths: Vec<_> = both
        .entries()
        .map(|(path, _)| path.to_string_lossy().into_owned())
        .collect();
    assert_eq!(paths, ["a.yaml", "lib/y.yaml"]);
    assert!(outer.with(Path::new("../x"), &inner).is_err());
}

/// A well-formed archive of one file, as small as it gets.
fn packed_best(content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    let mut header = tar::Header::new_ustar();
    header.set_path("zeros").unwrap();
    header.set_size(content.len() as u64);
    header.set_cksum();
    builder.append(&header, content).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}
