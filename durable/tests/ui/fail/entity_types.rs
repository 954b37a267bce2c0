//! What the compiler says about the types of an entity: one error per mistake, under the type.

use durable::{call::Entity, entity};
use serde::{Deserialize, Serialize};

struct Opaque;

#[derive(Default)]
struct NotStored;

#[entity]
impl NotStored {
    fn get(&self) {}
}

#[derive(Serialize, Deserialize)]
struct NoDefault {
    value: u8,
}

#[entity]
impl NoDefault {
    fn get(&self) -> u8 {
        self.value
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Sound;

#[derive(Debug)]
struct NoError;

#[entity]
impl Sound {
    fn input(&self, of: Opaque) {
        let _ = of;
    }

    fn output(&self) -> Opaque {
        Opaque
    }

    async fn in_result(&self) -> Result<Option<Opaque>, String> {
        Ok(None)
    }

    fn error(&self) -> Result<(), NoError> {
        Ok(())
    }
}

#[entity]
trait Interface {
    fn input(&self, of: Opaque);
    fn output(&self) -> Opaque;
    fn error(&self) -> Result<(), NoError>;
}

#[derive(Default, Serialize, Deserialize)]
struct Implementer;

#[entity]
impl Interface for Implementer {
    fn input(&self, of: Opaque) {
        let _ = of;
    }

    fn output(&self) -> Opaque {
        Opaque
    }

    fn error(&self) -> Result<(), NoError> {
        Ok(())
    }
}

mod private {
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub struct Inside;

    #[durable::entity]
    impl Inside {
        pub fn open(&self) {}
        fn hidden(&self) {}
    }
}

fn main() {
    let _ = Sound::at("a").input(Opaque);
    let _ = private::Inside::at("a").open();
    let _ = private::Inside::at("a").hidden();
    let _ = Sound::at("a").errror();
    let _ = Sound::at("a").error(1);
}
