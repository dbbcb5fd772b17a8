//! The files of generated templates.

use std::{fs, io, path::Path};

use ledgerfold::context::Context;

use crate::{Changes, TemplateError, key, platform, template};

/// A generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, for example `orders.yaml`.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// The files of a context: `key.yaml` and `platform.yaml`, which are the same for all, and the context's own.
///
/// # Errors
/// [`TemplateError`].
pub fn files(context: &Context, changes: &Changes) -> Result<[File; 3], TemplateError> {
    let own = template(context, changes)?;
    Ok([
        File { name: "key.yaml".to_owned(), text: key().to_yaml() },
        File { name: "platform.yaml".to_owned(), text: platform().to_yaml() },
        File { name: format!("{}.yaml", context.name()), text: own.to_yaml() },
    ])
}

impl File {
    /// Writes the file into this folder, unless it is there with the same content. Returns whether it changed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<bool> {
        if self.difference(folder).is_none() {
            return Ok(false);
        }
        fs::create_dir_all(folder)?;
        fs::write(folder.join(&self.name), &self.text)?;
        Ok(true)
    }

    /// The first difference from the file in this folder, for people.
    pub fn difference(&self, folder: &Path) -> Option<String> {
        let path = folder.join(&self.name);
        let Ok(found) = fs::read_to_string(&path) else {
            return Some(format!("{} cannot be read", path.display()));
        };
        let mut lines = self.text.lines().zip(found.lines()).enumerate();
        let differs = lines.find(|(_, (generated, found))| generated != found);
        match differs {
            Some((number, (generated, found))) => {
                Some(format!("{}, line {}:\n- {found}\n+ {generated}", path.display(), number + 1))
            }
            None => (self.text != found).then(|| format!("{} has another length", path.display())),
        }
    }
}
