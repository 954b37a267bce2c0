//! The inputs of a call, read as the attribute's code reads them: none from null, one from itself,
//! several from an array.

use durable::model::{Failure, Payload, Storable};

/// Up to four inputs, as a tuple.
pub(crate) trait Inputs: Sized {
    /// Reads them from what is stored.
    ///
    /// # Errors
    /// When an input is missing or of another type.
    fn read(payload: &Payload) -> Result<Self, Failure>;
}

impl Inputs for () {
    fn read(_: &Payload) -> Result<Self, Failure> {
        Ok(())
    }
}

impl<A: Storable> Inputs for (A,) {
    fn read(payload: &Payload) -> Result<Self, Failure> {
        Ok((A::decode(payload)?,))
    }
}

macro_rules! several {
    ($([$($input:ident)*])*) => {
        $(
            impl<$($input: Storable),*> Inputs for ($($input),*) {
                fn read(payload: &Payload) -> Result<Self, Failure> {
                    let mut elements = payload.read::<Vec<Payload>>()?.into_iter();
                    Ok(($(next::<$input>(&mut elements)?),*))
                }
            }
        )*
    };
}
several! { [A B] [A B C] [A B C D] }

fn next<T: Storable>(elements: &mut impl Iterator<Item = Payload>) -> Result<T, Failure> {
    let element = elements.next().ok_or_else(|| Failure::new("too few inputs were given"))?;
    Ok(T::decode(&element)?)
}
