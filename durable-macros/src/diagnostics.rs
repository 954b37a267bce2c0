//! Collects mistakes, so that one compile shows all of them.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far. Dropping some unread is a defect, and panics in debug builds.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
}

impl Diagnostics {
    /// Notes a mistake under `words`.
    pub(crate) fn at(&mut self, words: impl ToTokens, message: impl std::fmt::Display) {
        self.errors.push(syn::Error::new_spanned(words, message));
    }

    /// Notes the mistake of a step that failed.
    pub(crate) fn absorb<T>(&mut self, step: syn::Result<T>) -> Option<T> {
        step.map_err(|error| self.errors.push(error)).ok()
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The mistakes as compile errors.
    pub(crate) fn finish(mut self) -> TokenStream {
        std::mem::take(&mut self.errors).iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        debug_assert!(
            self.errors.is_empty() || std::thread::panicking(),
            "mistakes were found and not shown"
        );
    }
}
