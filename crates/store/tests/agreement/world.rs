//! A random world: persons, professionals, structures, circles and notes that refer to each other,
//! some of them changed or deleted since they were made.

use jiff::tz::TimeZone;
use liaison_fhir::{
    array, object, release,
    search::{
        extract::{ExtractContext, extract, references},
        index::Target,
    },
    tree::{Object, Value},
};
use liaison_store::{
    contract::{Change, Form, Link, Name, Named, NewVersion, PreparedBody, StoreError},
    store::{Store, StoreOptions, StoreUrl},
};

use crate::dice::Dice;

pub const FAMILIES: [&str; 6] = ["Dupont", "Dupond", "Lefèvre", "LEFEVRE", "Œuvrard", "d'Arc"];
pub const GIVENS: [&str; 5] = ["Marie", "Zoé", "Jean-Noël", "Mari", "zoe"];
pub const SYSTEMS: [&str; 3] =
    ["urn:oid:1.2.250.1.213.1.4.8", "https://rpps.esante.gouv.fr", "http://hopital.example/ipp"];
pub const VALUES: [&str; 5] = ["1", "22", "A|B", "a,b", "x$y"];
pub const NOTE_TYPES: [(&str, &str); 5] = [
    ("https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote", "OBS"),
    ("https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote", "GEN"),
    ("urn:oid:1.2.250.1.213.1.1.4.334", "OBS"),
    ("http://other.example", "OBS"),
    ("", "OBS"),
];
pub const DATES: [&str; 7] = [
    "2026-03-28T23:30:00+01:00",
    "2026-03-29T00:30:00Z",
    "2026-03-29T03:00:00+02:00",
    "2026-03-30T12:00:00.123456Z",
    "2026-10-25T02:30:00+02:00",
    "2026-10-25T02:30:00+01:00",
    "2025-12-31T23:59:60Z",
];
pub const DAYS: [&str; 5] = ["1950", "1950-02", "1950-02-28", "1951-12-31", "1950-03-01"];
pub const TEXTS: [&str; 5] = ["Chute à domicile", "chute", "CHUTE A DOMICILE", "Pansement refait", "à  domicile"];
pub const CITIES: [&str; 3] = ["Saint-Étienne", "saint etienne", "Paris"];

/// A live resource of the world.
pub struct Live {
    pub resource_type: &'static str,
    pub id: String,
    pub tree: Object,
    pub updated: i64,
    pub sequence: u64,
}

pub struct World {
    pub live: Vec<Live>,
    pub zone: TimeZone,
    pub now: i64,
}

impl World {
    /// Makes a world and the store that holds it.
    pub async fn build(url: &StoreUrl, dice: &mut Dice) -> (Store, Self) {
        // In one shard resources are counted as they come, which the judge goes by.
        let store = Store::open(url, StoreOptions { shards: 1, ..StoreOptions::default() }).unwrap();
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let mut world = Self { live: Vec::new(), zone, now: 1_790_000_000_000_000 };
        let plan: [(&'static str, usize, Make); 8] = [
            ("Organization", 4, organization),
            ("Practitioner", 6, practitioner),
            ("PractitionerRole", 6, practitioner_role),
            ("Patient", 6, patient),
            ("RelatedPerson", 4, related_person),
            ("Device", 2, device),
            ("CareTeam", 4, care_team),
            ("DocumentReference", 30, note),
        ];
        for (resource_type, count, make) in plan {
            for number in 0..count {
                let id = format!("{}{number}", &resource_type[..2].to_lowercase());
                let tree = make(&world, dice);
                world.commit(&store, resource_type, id, tree, Change::Create).await.unwrap();
            }
        }
        // Life goes on: some change, and what nothing refers to may go.
        for _ in 0..12 {
            let at = dice.below(world.live.len());
            let (resource_type, id) = (world.live[at].resource_type, world.live[at].id.clone());
            let gone = world.live.remove(at);
            let result = if dice.one_in(3) {
                world.commit(&store, resource_type, id, Object::new(), Change::Delete).await
            } else {
                let make = plan.iter().find(|(name, ..)| *name == resource_type).unwrap().2;
                let tree = make(&world, dice);
                world.commit(&store, resource_type, id, tree, Change::Update).await
            };
            match result {
                Ok(()) => {}
                Err(StoreError::Referred { .. }) => world.live.insert(at, gone),
                Err(error) => panic!("{error:?}"),
            }
        }
        (store, world)
    }

    async fn commit(
        &mut self,
        store: &Store,
        resource_type: &'static str,
        id: String,
        mut tree: Object,
        change: Change,
    ) -> Result<(), StoreError> {
        tree.insert_at(0, "resourceType", resource_type);
        tree.insert_at(1, "id", id.as_str());
        let context = ExtractContext { zone: &self.zone, bases: &[] };
        let deleted = change == Change::Delete;
        let links = references(&tree, release::r4(), &context).into_iter().filter_map(|(target, place)| match target {
            Target::Local { resource_type, id } => Some(Link { to: name(&resource_type, &id), place: place.into() }),
            Target::Elsewhere(_) => None,
        });
        let version = NewVersion {
            name: name(resource_type, &id),
            notebook: None,
            named: Named::ByCaller,
            change,
            form: Form(1),
            body: (!deleted).then(|| PreparedBody {
                head: format!(r#"{{"resourceType":"{resource_type}","id":"{id}","meta":{{"#).into(),
                tail: "}}".into(),
                holes: Vec::new(),
            }),
            index: if deleted { Vec::new() } else { extract(&tree, &context) },
            links: if deleted { Vec::new() } else { links.collect() },
            unique: Vec::new(),
            blobs: Vec::new(),
            caller: "test".into(),
        };
        let committed = store.write(move |tx| tx.commit_version(&version)).await?;
        if !deleted {
            let (updated, sequence) = (committed.version.updated.0, committed.sequence);
            self.live.push(Live { resource_type, id, tree, updated, sequence });
        }
        Ok(())
    }

    /// A reference to a live resource of one of these types, when there is one.
    fn reference(&self, dice: &mut Dice, types: &[&'static str]) -> Option<Value> {
        let wanted = dice.pick(types);
        let of_type: Vec<&Live> = self.live.iter().filter(|live| live.resource_type == wanted).collect();
        if of_type.is_empty() {
            return None;
        }
        let live = of_type[dice.below(of_type.len())];
        let mut reference = object! { "reference" => format!("{}/{}", live.resource_type, live.id) };
        if dice.one_in(4) {
            reference.push("identifier", identifier(dice));
        }
        Some(reference.into())
    }
}

type Make = fn(&World, &mut Dice) -> Object;

fn name(resource_type: &str, id: &str) -> Name {
    Name { resource_type: resource_type.into(), id: id.into() }
}

fn identifier(dice: &mut Dice) -> Object {
    let mut identifier = Object::new();
    if dice.one_in(3) {
        let coding = object! { "system" => "http://terminology.hl7.org/CodeSystem/v2-0203", "code" => "PI" };
        identifier.push("type", object! { "coding" => array![coding] });
    }
    if !dice.one_in(4) {
        identifier.push("system", dice.pick(&SYSTEMS));
    }
    identifier.push("value", dice.pick(&VALUES));
    identifier
}

fn human(dice: &mut Dice) -> Object {
    let mut human = Object::new();
    if dice.one_in(3) {
        human.push("text", format!("{} {}", dice.pick(&GIVENS), dice.pick(&FAMILIES)));
    }
    human.push("family", dice.pick(&FAMILIES));
    human.push("given", array![dice.pick(&GIVENS), dice.pick(&GIVENS)]);
    human
}

fn names_and_identifiers(dice: &mut Dice, object: &mut Object) {
    if !dice.one_in(4) {
        object.push("identifier", array![identifier(dice), identifier(dice)]);
    }
    if !dice.one_in(5) {
        object.push("name", array![human(dice)]);
    }
}

fn concept(system: &str, code: &str) -> Object {
    let mut coding = Object::new();
    if !system.is_empty() {
        coding.push("system", system);
    }
    coding.push("code", code);
    object! { "coding" => array![coding] }
}

fn push_some(object: &mut Object, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.push(name, value);
    }
}

fn organization(world: &World, dice: &mut Dice) -> Object {
    let mut it = object! { "name" => dice.pick(&["Hôpital Nord", "hopital nord", "SSIAD des Pins"]) };
    if dice.one_in(2) {
        it.push("identifier", array![identifier(dice)]);
    }
    push_some(&mut it, "partOf", world.reference(dice, &["Organization"]));
    it
}

fn practitioner(_: &World, dice: &mut Dice) -> Object {
    let mut it = Object::new();
    names_and_identifiers(dice, &mut it);
    if dice.one_in(2) {
        it.push("active", dice.one_in(2));
    }
    it
}

fn practitioner_role(world: &World, dice: &mut Dice) -> Object {
    let mut it = Object::new();
    push_some(&mut it, "practitioner", world.reference(dice, &["Practitioner"]));
    push_some(&mut it, "organization", world.reference(dice, &["Organization"]));
    it.push(
        "code",
        array![concept(
            "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante",
            dice.pick(&["10", "60"])
        )],
    );
    if dice.one_in(2) {
        it.push("period", object! { "start" => dice.pick(&DAYS) });
    }
    it
}

fn patient(world: &World, dice: &mut Dice) -> Object {
    let mut it = Object::new();
    names_and_identifiers(dice, &mut it);
    it.push("gender", dice.pick(&["male", "female", "unknown"]));
    if !dice.one_in(3) {
        it.push("birthDate", dice.pick(&DAYS));
    }
    it.push(
        "address",
        array![object! { "city" => dice.pick(&CITIES), "postalCode" => dice.pick(&["42000", "75011"]) }],
    );
    if dice.one_in(2) {
        it.push(
            "telecom",
            array![object! { "system" => dice.pick(&["phone", "email"]), "value" => dice.pick(&VALUES) }],
        );
    }
    if dice.one_in(2)
        && let Some(reference) = world.reference(dice, &["Practitioner", "Organization", "PractitionerRole"])
    {
        it.push("generalPractitioner", array![reference]);
    }
    it
}

fn related_person(world: &World, dice: &mut Dice) -> Object {
    let mut it = Object::new();
    names_and_identifiers(dice, &mut it);
    push_some(&mut it, "patient", world.reference(dice, &["Patient"]));
    it
}

fn device(_: &World, dice: &mut Dice) -> Object {
    object! { "identifier" => array![identifier(dice)] }
}

fn care_team(world: &World, dice: &mut Dice) -> Object {
    let mut it = object! { "status" => dice.pick(&["active", "inactive"]) };
    push_some(&mut it, "subject", world.reference(dice, &["Patient"]));
    let mut period = Object::new();
    if !dice.one_in(3) {
        period.push("start", dice.pick(&DAYS));
    }
    if dice.one_in(2) || period.is_empty() {
        period.push("end", dice.pick(&DATES));
    }
    it.push("period", period);
    let participants: Vec<Value> = (0..dice.below(4))
        .filter_map(|_| world.reference(dice, &["PractitionerRole", "RelatedPerson", "Organization"]))
        .map(|member| object! { "member" => member, "period" => object! { "start" => "2013-01-12" } }.into())
        .collect();
    if !participants.is_empty() {
        it.push("participant", participants);
    }
    it
}

fn note(world: &World, dice: &mut Dice) -> Object {
    let mut it = Object::new();
    if dice.one_in(2) {
        it.push("masterIdentifier", identifier(dice));
    }
    if dice.one_in(3) {
        it.push("identifier", array![identifier(dice)]);
    }
    it.push("status", dice.pick(&["current", "superseded", "entered-in-error"]));
    if !dice.one_in(6) {
        let (system, code) = NOTE_TYPES[dice.below(NOTE_TYPES.len())];
        it.push("type", concept(system, code));
    }
    if dice.one_in(6) {
        it.push("subject", object! { "identifier" => identifier(dice) });
    } else {
        push_some(&mut it, "subject", world.reference(dice, &["Patient", "Patient", "Patient", "Device"]));
    }
    if !dice.one_in(6) {
        it.push("date", dice.pick(&DATES));
    }
    let authors = ["Practitioner", "PractitionerRole", "Organization", "Device", "Patient", "RelatedPerson"];
    let authors: Vec<Value> = (0..dice.below(3)).filter_map(|_| world.reference(dice, &authors)).collect();
    if !authors.is_empty() {
        it.push("author", authors);
    }
    if dice.one_in(3) {
        let target = world.reference(dice, &["DocumentReference"]);
        let relates = target.map(|target| array![object! { "code" => "appends", "target" => target }]);
        push_some(&mut it, "relatesTo", relates);
    }
    if dice.one_in(2) {
        it.push("description", dice.pick(&TEXTS));
    }
    if dice.one_in(3) {
        let label = concept(
            "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
            "MASQUE_PT",
        );
        it.push("securityLabel", array![label]);
    }
    let attachment = object! { "contentType" => dice.pick(&["text/plain", "image/jpeg"]), "url" => dice.pick(&["http://a.example/x/1", "http://a.example/x"]) };
    it.push("content", array![object! { "attachment" => attachment }]);
    if dice.one_in(3) {
        it.push("context", object! { "period" => object! { "start" => dice.pick(&DATES) } });
    }
    it
}
