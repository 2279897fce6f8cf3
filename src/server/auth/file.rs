//! The file of the tokens: read whole, and written so that nobody ever sees half of it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use serde::{Deserialize, Serialize};

use super::token::{Token, is_name};

/// Bytes of the file; one token takes some two hundred.
const SIZE_MAX: u64 = 8 << 20;
const VERSION: u32 = 1;

/// Where the tokens are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokensFile {
    path: PathBuf,
    /// The service manager has put it there, and nobody can write it.
    is_credential: bool,
}

/// What is in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    tokens: Vec<Token>,
}

/// What tells whether it has changed: device, inode, length and time.
pub(in crate::server) type Stamp = Option<(u64, u64, u64, i64, i64)>;

/// What is wrong with the file, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{path} {text}")]
pub struct TokensFileError {
    path: String,
    text: String,
    pub hint: &'static str,
}

/// Why a file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError<E> {
    #[error(transparent)]
    File(#[from] TokensFileError),
    #[error(transparent)]
    Refused(E),
}

impl TokensFile {
    /// The file at this path.
    pub fn at(path: PathBuf) -> Self {
        Self { path, is_credential: false }
    }

    /// A credential that was put there.
    pub fn credential(path: PathBuf) -> Self {
        Self { path, is_credential: true }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::server) fn stamp(&self) -> Stamp {
        let meta = fs::metadata(&self.path).ok()?;
        Some((meta.dev(), meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
    }

    /// The tokens in it; `None` if there is no such file.
    ///
    /// # Errors
    /// It cannot be read, somebody else can write it, or it is not what `gz-monitor token` writes.
    pub fn load(&self) -> Result<Option<Vec<Token>>, TokensFileError> {
        let unreadable = |error: io::Error| {
            let hint = "let the daemon's user read it; `gz-monitor token create` makes one that is";
            self.error(format!("cannot be read: {error}"), hint)
        };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_credential => {
                return Ok(None);
            }
            Err(error) => return Err(unreadable(error)),
        };
        self.check(&file)?;
        let mut bytes = Vec::new();
        file.take(SIZE_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > SIZE_MAX {
            let hint = "write it with `gz-monitor token`";
            return Err(self.error("has more than 8 MiB".to_owned(), hint));
        }
        self.parse(&bytes).map(Some)
    }

    /// Whoever can write it could make themselves an admin.
    fn check(&self, file: &File) -> Result<(), TokensFileError> {
        let meta = file.metadata().map_err(|error| {
            self.error(format!("cannot be looked at: {error}"), "see who may reach it")
        })?;
        if !meta.is_file() {
            return Err(self.error("is no file".to_owned(), "name a file"));
        }
        let own = rustix::process::geteuid().as_raw();
        if !self.is_credential && meta.uid() != 0 && meta.uid() != own && own != 0 {
            let text = format!("belongs to the user {}", meta.uid());
            return Err(self.error(text, "have it belong to the daemon's user or to root"));
        }
        if !self.is_credential && meta.mode() & 0o022 != 0 {
            let text = format!("can be written by others (mode {:o})", meta.mode() & 0o777);
            return Err(self.error(text, "chmod 600 it, and see that what is in it is yours"));
        }
        Ok(())
    }

    /// The tokens that a file of these bytes has; nothing is read. Any bytes do, so this is where a
    /// fuzzer begins.
    ///
    /// # Errors
    /// It is not what `gz-monitor token` writes.
    pub fn parse(&self, bytes: &[u8]) -> Result<Vec<Token>, TokensFileError> {
        let hint = "write it with `gz-monitor token`; moved away, nobody has a token any more";
        let content: Content = serde_json::from_slice(bytes)
            .map_err(|error| self.error(format!("is not a file of tokens: {error}"), hint))?;
        if content.version != VERSION {
            let text = format!("has version {}, and this gz-monitor knows 1", content.version);
            return Err(self.error(text, "use the gz-monitor that has written it"));
        }
        for (index, token) in content.tokens.iter().enumerate() {
            let is_twice = content.tokens[..index].iter().any(|one| one.name == token.name);
            if is_twice || !is_name(&token.name) {
                let what = if is_twice { "twice" } else { "which is no name" };
                return Err(self.error(format!("has a token {:?}, {what}", token.name), hint));
            }
        }
        Ok(content.tokens)
    }

    /// Changes what is in it, as nobody else does at the same time, and gives all tokens as they then
    /// are. It may block.
    ///
    /// # Errors
    /// The file's, or those of `change`, and nothing has changed.
    pub fn edit<T, E>(
        &self,
        change: impl FnOnce(&mut Vec<Token>) -> Result<T, E>,
    ) -> Result<(T, Vec<Token>), EditError<E>> {
        if self.is_credential {
            let hint =
                "change the file that LoadCredential= names, with --tokens-file, and restart";
            let error = self.error("is a credential of the service".to_owned(), hint);
            return Err(error.into());
        }
        let unwritable = |error: io::Error| {
            let hint = "run this as the daemon's user or as root";
            self.error(format!("cannot be written: {error}"), hint)
        };
        let _lock = self.lock().map_err(unwritable)?;
        let mut tokens = self.load()?.unwrap_or_default();
        let done = change(&mut tokens).map_err(EditError::Refused)?;
        let content = Content { version: VERSION, tokens };
        self.write(&content).map_err(unwritable)?;
        Ok((done, content.tokens))
    }

    /// Held until it is dropped.
    fn lock(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.exists()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let path = self.beside("lock");
        let lock = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(lock) => {
                self.give_away(&lock)?;
                lock
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Not where a link leads: the folder may be of a user whom root need not trust.
                let no_link = OFlags::NOFOLLOW.bits().cast_signed();
                OpenOptions::new().write(true).custom_flags(no_link).open(&path)?
            }
            Err(error) => return Err(error),
        };
        flock(&lock, FlockOperation::LockExclusive)?;
        Ok(lock)
    }

    fn write(&self, content: &Content) -> io::Result<()> {
        let new = self.beside("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(&serde_json::to_vec_pretty(content)?)?;
        file.write_all(b"\n")?;
        self.give_away(&file)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        // What a crash is not to take back: a token that was revoked.
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }

    /// What root makes in the daemon's folder is the daemon's.
    fn give_away(&self, made: &File) -> io::Result<()> {
        let Some(folder) = self.path.parent().filter(|_| rustix::process::geteuid().is_root())
        else {
            return Ok(());
        };
        let meta = fs::metadata(folder)?;
        fchown(made, Some(meta.uid()), Some(meta.gid()))
    }

    fn beside(&self, extension: &str) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".");
        path.push(extension);
        path.into()
    }

    fn error(&self, text: String, hint: &'static str) -> TokensFileError {
        TokensFileError { path: self.path.display().to_string(), text, hint }
    }
}
