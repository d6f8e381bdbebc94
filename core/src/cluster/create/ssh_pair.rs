//! A key pair in files, as kept by OpenSSH and Azure's own tools: read if it exists, generated if not.

use super::public_key::is_public_key;
use crate::error::{Error, ErrorKind, Result};
use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// The public key of the pair at `path`. Missing files are generated.
pub(super) fn public_key(path: &Path) -> Result<String> {
    let beside = beside(path);
    if let Some(text) = read(&beside)? {
        let line = text.trim();
        return if is_public_key(line) {
            Ok(line.to_owned())
        } else {
            Err(odd("the file is not an RSA or Ed25519 public key"))
        };
    }
    let public = match read(path)? {
        Some(private) => public_of(&private)?,
        None => make(path)?,
    };
    match write_new(&beside, &format!("{public}\n"), 0o644) {
        Ok(()) => Ok(public),
        // Another process was faster; from the same private key the public key is the same.
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => Ok(public),
        Err(err) => Err(unwritable(err)),
    }
}

/// `id_rsa.pub` beside `id_rsa`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(odd("could not read the SSH key").with_source(err)),
    }
}

/// The public key of a private key in any format that OpenSSH reads. In the old formats a passphrase hides it.
fn public_of(private: &str) -> Result<String> {
    let unreadable = || {
        odd("the private SSH key has an unsupported format or a passphrase; put its public key next to it, with \
                the suffix `.pub`")
    };
    let parsed = pem::parse(private).map_err(|_| unreadable())?;
    if parsed.headers().iter().next().is_some() {
        return Err(unreadable());
    }
    let contents = parsed.contents();
    match parsed.tag() {
        "OPENSSH PRIVATE KEY" => of_openssh(contents).ok_or_else(unreadable),
        "RSA PRIVATE KEY" => KeyPair::from_der(contents).map(|pair| line_of(&pair)).map_err(|_| unreadable()),
        "PRIVATE KEY" => KeyPair::from_pkcs8(contents).map(|pair| line_of(&pair)).map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

/// OpenSSH's own format names the cipher, how it uses the passphrase, and the number of keys; the public key follows, unencrypted with
/// or without a passphrase.
fn of_openssh(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    for _cipher_kdf_and_its_options in 0..3 {
        (_, rest) = text(rest)?;
    }
    let (_number_of_keys, rest) = rest.split_at_checked(4)?;
    let (blob, _) = text(rest)?;
    let (algorithm, _) = text(blob)?;
    let line = format!("{} {}", std::str::from_utf8(algorithm).ok()?, STANDARD.encode(blob));
    is_public_key(&line).then_some(line)
}

/// The first string of SSH's wire format, and what follows it: four bytes of length, then the content.
fn text(wire: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = wire.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Generates the private key. Two processes that do so at the same time end up with the same key.
fn make(path: &Path) -> Result<String> {
    let failed = |_| Error::new(ErrorKind::Unexpected, "could not generate an SSH key");
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let wrapped = pair.as_der().map_err(failed)?;
    let inner =
        pkcs1(wrapped.as_ref()).ok_or_else(|| Error::new(ErrorKind::Unexpected, "could not write an SSH key"))?;
    // The old form of RSA keys: Azure's own tools read no other.
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    let text = pem::encode_config(&pem::Pem::new("RSA PRIVATE KEY", inner), config);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder).map_err(unwritable)?;
    }
    match write_new(path, &text, 0o600) {
        Ok(()) => Ok(line_of(&pair)),
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => match read(path)? {
            Some(theirs) => public_of(&theirs),
            None => Err(unwritable(err)),
        },
        Err(err) => Err(unwritable(err)),
    }
}

/// `ssh-rsa` and the two numbers in SSH's wire format; a number whose first bit is set would be read as negative, so a zero is
/// prepended.
fn line_of(pair: &KeyPair) -> String {
    let mut blob = Vec::new();
    let mut add = |parts: &[&[u8]]| {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        blob.extend(u32::try_from(length).unwrap_or_default().to_be_bytes());
        for part in parts {
            blob.extend_from_slice(part);
        }
    };
    let public = pair.public_key();
    add(&[b"ssh-rsa"]);
    for number in [public.exponent(), public.modulus()] {
        let bytes = number.big_endian_without_leading_zero();
        let zero: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
        add(&[zero, bytes]);
    }
    format!("ssh-rsa {}", STANDARD.encode(blob))
}

/// The key without the wrapper that names its algorithm: the third part of a sequence.
fn pkcs1(wrapped: &[u8]) -> Option<&[u8]> {
    let (sequence, _) = part(wrapped, 0x30)?;
    let (_, rest) = part(sequence, 0x02)?;
    let (_, rest) = part(rest, 0x30)?;
    Some(part(rest, 0x04)?.0)
}

/// The first element of a DER encoding, if it has this tag, and what follows it.
fn part(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, length, rest) = match der {
        [first, length, rest @ ..] if *length < 0x80 => (first, usize::from(*length), rest),
        [first, 0x81, length, rest @ ..] => (first, usize::from(*length), rest),
        [first, 0x82, high, low, rest @ ..] => (first, usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    if *first == tag { rest.split_at_checked(length) } else { None }
}

/// Writes a new file atomically, and never over an existing one.
fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", Uuid::new_v4().simple()));
    let draft = PathBuf::from(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(&draft).and_then(|mut file| {
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()
    });
    // A link is created only if nothing exists, unlike a move.
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    linked.and(removed)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn odd(text: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, text)
}

fn unwritable(err: io::Error) -> Error {
    odd("could not write the SSH key").with_source(err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env::temp_dir;

    /// A temporary folder, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = temp_dir().join(format!("aks-acr-{}", Uuid::new_v4().simple()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn key(&self) -> PathBuf {
            self.0.join(".ssh").join("id_rsa")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
    }

    #[test]
    fn a_pair_is_made_once_and_then_read() {
        let folder = Folder::new();
        let made = public_key(&folder.key()).unwrap();
        let private = fs::read_to_string(folder.key()).unwrap();
        assert!(private.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"), "the form that Azure's own tools read");
        assert_eq!(public_key(&folder.key()).unwrap(), made);
        assert_eq!(fs::read_to_string(folder.key()).unwrap(), private);
        fs::remove_file(beside(&folder.key())).unwrap();
        assert_eq!(public_key(&folder.key()).unwrap(), made, "the public half is made again of the private one");
        assert_eq!(fs::read_dir(folder.0.join(".ssh")).unwrap().count(), 2, "no drafts are left");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_private_key() {
        let folder = Folder::new();
        public_key(&folder.key()).unwrap();
        let modes = [mode(&folder.0.join(".ssh")), mode(&folder.key()), mode(&beside(&folder.key()))];
        assert_eq!([modes[0], modes[1]], [0o700, 0o600]);
        assert_eq!(modes[2] & 0o022, 0, "{:o}", modes[2]);
    }

    #[test]
    fn two_who_make_it_at_once_end_with_the_same_key() {
        let folder = Folder::new();
        let keys: Vec<String> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(|| public_key(&folder.key()).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(public_of(&fs::read_to_string(folder.key()).unwrap()).unwrap(), keys[0]);
    }

    #[test]
    fn openssh_agrees_on_the_public_half_and_its_own_form_is_read() {
        let keygen = |arguments: &[&std::ffi::OsStr]| {
            let done = std::process::Command::new("ssh-keygen").args(arguments).output();
            done.ok().filter(|done| done.status.success()).map(|done| String::from_utf8(done.stdout).unwrap())
        };
        let folder = Folder::new();
        let (made, path) = (public_key(&folder.key()).unwrap(), folder.key());
        // Skipped if OpenSSH is not installed.
        let Some(theirs) = keygen(&["-y".as_ref(), "-f".as_ref(), path.as_os_str()]) else { return };
        assert_eq!(theirs.trim(), made);
        let convert = ["-p", "-q", "-N", "secret", "-f"].map(std::ffi::OsStr::new);
        keygen(&[&convert[..], &[path.as_os_str()]].concat()).unwrap();
        let private = fs::read_to_string(&path).unwrap();
        assert!(private.contains("OPENSSH PRIVATE KEY"));
        assert_eq!(public_of(&private).unwrap(), made, "a passphrase does not hide it");
    }

    #[test]
    fn an_invalid_key_is_rejected_without_being_shown() {
        let folder = Folder::new();
        fs::create_dir(folder.0.join(".ssh")).unwrap();
        for wrong in ["secret", "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n"] {
            fs::write(folder.key(), wrong).unwrap();
            let err = public_key(&folder.key()).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput);
            assert!(!format!("{err:#}").contains("c2VjcmV0"));
        }
        fs::write(beside(&folder.key()), "no key").unwrap();
        assert_eq!(public_key(&folder.key()).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(fs::read_to_string(beside(&folder.key())).unwrap(), "no key");
    }
}
