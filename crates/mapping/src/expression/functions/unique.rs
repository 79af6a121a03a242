//! `SelectUniqueValue`: values to be tried at the target in order. Which of them is taken there is not known here.

use super::super::Candidates;
use super::super::evaluate::{Arguments, Evaluated, EvaluationError, Interrupt};

/// The parser takes it as the outermost function only, where [`candidates`] is asked in its place.
pub(super) fn nested(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Err(arguments.refuse("must be the outermost function"))
}

/// What the rules give, up to the first that fails: those before it may do.
pub(in super::super) fn candidates(arguments: &mut Arguments<'_, '_, '_>) -> Result<Candidates, Interrupt> {
    let mut candidates = Candidates { values: Vec::new(), failure: None };
    for index in 0..arguments.count() {
        match arguments.text(index) {
            Ok(value) => {
                let value =
                    value.filter(|value| !value.is_empty() && !candidates.values.iter().any(|other| other == value));
                candidates.values.extend(value.map(std::borrow::Cow::into_owned));
            }
            Err(Interrupt::Failed(error @ EvaluationError::Argument { .. })) if !candidates.values.is_empty() => {
                candidates.failure = Some(error);
                break;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(candidates)
}
