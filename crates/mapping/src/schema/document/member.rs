//! A member of a JSON object, which may be there, be null or not be there: three things that a schema tells apart.

/// One member of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Member<T> {
    /// The object does not have it.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It has a value.
    Given(T),
}

impl<T> Member<T> {
    /// The value, where there is one.
    pub fn given(&self) -> Option<&T> {
        if let Self::Given(value) = self { Some(value) } else { None }
    }

    /// The value to be changed, where there is one.
    pub fn given_mut(&mut self) -> Option<&mut T> {
        if let Self::Given(value) = self { Some(value) } else { None }
    }

    /// The value to be changed; the default where there was none.
    pub fn or_default(&mut self) -> &mut T
    where
        T: Default,
    {
        if !matches!(self, Self::Given(_)) {
            *self = Self::Given(T::default());
        }
        self.given_mut().expect("it has just been given")
    }
}

impl Member<String> {
    /// The text; `""` where there is none.
    pub fn text(&self) -> &str {
        self.given().map_or("", String::as_str)
    }
}

impl<T> Member<Vec<T>> {
    /// The elements; none where there is no list.
    pub fn items(&self) -> &[T] {
        self.given().map_or(&[], Vec::as_slice)
    }
}

impl<T> From<T> for Member<T> {
    fn from(value: T) -> Self {
        Self::Given(value)
    }
}

impl From<&str> for Member<String> {
    fn from(text: &str) -> Self {
        Self::Given(text.to_owned())
    }
}

impl<T> From<Option<T>> for Member<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Given)
    }
}
