//! A service provider of users without HTTP: what each request does to a map. A real one keeps the same steps and puts a database and
//! a web framework around them.

use std::collections::BTreeMap;

use scim::{Attributes, ErrorBody, Filter, ListResponse, PatchOp, Projection, ResourceType, ScimError, fold_username};
use serde_json::{Value, json};

/// The users by id, each with its version.
#[derive(Default)]
struct Server {
    users: BTreeMap<u64, (Attributes, u64)>,
    last_id: u64,
}

impl Server {
    /// `POST /Users`.
    fn create(&mut self, body: Value) -> Result<Value, ScimError> {
        let attributes = ResourceType::user().read(body)?;
        let name = name_of(&attributes)?;
        for (other, _) in self.users.values() {
            if name_of(other)? == name {
                return Err(ScimError::uniqueness("userName is taken"));
            }
        }
        self.last_id += 1;
        self.users.insert(self.last_id, (attributes, 1));
        self.get(self.last_id, &Projection::default())
    }

    /// `GET /Users/{id}`.
    fn get(&self, id: u64, projection: &Projection) -> Result<Value, ScimError> {
        let (attributes, version) = self.users.get(&id).ok_or_else(|| ScimError::no_target("there is no such user"))?;
        let mut shown = attributes.clone();
        shown.insert("schemas".to_owned(), json!([scim::USER_URN]));
        shown.insert("id".to_owned(), id.to_string().into());
        shown.insert("meta".to_owned(), json!({ "resourceType": "User", "version": format!("W/\"{version}\"") }));
        projection.apply(&ResourceType::user(), &mut shown);
        Ok(shown.into())
    }

    /// `PATCH /Users/{id}`.
    fn patch(&mut self, id: u64, body: Value) -> Result<Value, ScimError> {
        let patch = PatchOp::read(body)?;
        let (attributes, version) =
            self.users.get_mut(&id).ok_or_else(|| ScimError::no_target("there is no such user"))?;
        if patch.apply(&ResourceType::user(), attributes)? {
            *version += 1;
        }
        self.get(id, &Projection::default())
    }

    /// `GET /Users?filter=…`.
    fn list(&self, filter: &str, projection: &Projection) -> Result<ListResponse<Value>, ScimError> {
        let users = ResourceType::user();
        let filter: Filter = filter.parse()?;
        let matcher = filter.matcher(&users)?;
        let found = self.users.iter().filter(|(_, (attributes, _))| matcher.matches(attributes));
        let found = found.map(|(id, _)| self.get(*id, projection)).collect::<Result<Vec<_>, _>>()?;
        Ok(ListResponse::new(found.len() as u64, 1, found))
    }
}

/// What no two users may share, whatever the spelling.
fn name_of(attributes: &Attributes) -> Result<String, ScimError> {
    fold_username(attributes.get("userName").and_then(Value::as_str).unwrap_or_default())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = Server::default();
    let ada = server.create(json!({ "schemas": [scim::USER_URN], "userName": "Ada", "title": "Countess" }))?;
    println!("201 {ada}");
    let taken = server.create(json!({ "schemas": [scim::USER_URN], "userName": "ADA" })).expect_err("it is taken");
    println!("409 {}", serde_json::to_string(&ErrorBody::of(409, &taken))?);
    let patch = json!({
        "schemas": [scim::PATCH_OP_URN],
        "Operations": [{ "op": "add", "path": "name.familyName", "value": "Lovelace" }],
    });
    println!("200 {}", server.patch(1, patch)?);
    let listed = server.list("name.familyName sw \"love\"", &Projection::read(Some("userName"), None)?)?;
    println!("200 {}", serde_json::to_string(&listed)?);
    Ok(())
}
