//! Queries as they are written, beside what they are read as.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use crate::{
    outcome::{Issue, IssueKind, Severity},
    primitive::{format_instant, parse_instant},
    release::{Release, r4, stu3},
    search::{
        index::Target,
        query::{
            Clause, Comparison, DateTest, Direction, Include, IncludeWay, Iterate, NumberTest, ReferenceTest, SortKey,
            StringTest, SystemTest, Test, UriTest,
        },
    },
};

use super::*;

fn zone() -> TimeZone {
    TimeZone::get("Europe/Paris").unwrap()
}

fn read(release: &'static Release, types: &[&str], query: &str, handling: Handling) -> Result<Parsed, Vec<Issue>> {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let zone = zone();
    let bases = ["https://liaison.example/fhir/r4".to_owned(), "https://liaison.example/fhir/stu3".to_owned()];
    let now = parse_instant("2024-01-01T00:00:00Z").unwrap();
    let context = SearchContext { zone: &zone, now, bases: &bases, limits: SearchLimits::default() };
    parse(&SearchRequest { release, types, pairs: &pairs, handling, context: &context })
}

/// The filter of a query on `DocumentReference`, R4, told in one line.
fn note(query: &str) -> String {
    filter(r4(), "DocumentReference", query)
}

fn filter(release: &'static Release, of: &str, query: &str) -> String {
    match read(release, &[of], query, Handling::Strict) {
        Ok(parsed) => told(&parsed.query.filter),
        Err(issues) => panic!("{query}: {issues:?}"),
    }
}

fn refused(release: &'static Release, of: &str, query: &str) -> Vec<(IssueKind, String)> {
    match read(release, &[of], query, Handling::Strict) {
        Ok(parsed) => panic!("{query} was read: {}", told(&parsed.query.filter)),
        Err(issues) => issues.into_iter().map(|issue| (issue.kind, issue.place)).collect(),
    }
}

/// What an error says in English.
fn said(of: &str, query: &str) -> String {
    let issues = read(r4(), &[of], query, Handling::Strict).unwrap_err();
    issues.into_iter().map(|issue| issue.text.en).collect::<Vec<_>>().join(" ")
}

fn told(clause: &Clause) -> String {
    let many = |clauses: &[Clause], word: &str| match clauses {
        [] => (if word == " and " { "always" } else { "never" }).to_owned(),
        some => format!("({})", some.iter().map(told).collect::<Vec<_>>().join(word)),
    };
    match clause {
        Clause::All(clauses) => many(clauses, " and "),
        Clause::Any(clauses) => many(clauses, " or "),
        Clause::Not(clause) => format!("not {}", told(clause)),
        Clause::Has(param, test) => format!("{} {}", param.code, told_test(test)),
        Clause::Present(param) => format!("{} present", param.code),
        Clause::OfType(types) => format!("of type {}", types.join(",")),
        Clause::Id(ids) => format!("id {}", ids.join(",")),
        Clause::Among(set) => format!("among {} {}", set.ids().len(), set.resource_type()),
        Clause::LastUpdated(test) => format!("updated {}", told_date(test)),
        Clause::Refers { param, types, target } => {
            format!("{}->{} [{}]", param.code, types.join("/"), told(target))
        }
        Clause::ReferredBy { param, source } => format!("{}.{}<- [{}]", param.base, param.code, told(source)),
    }
}

fn told_test(test: &Test) -> String {
    match test {
        Test::String(StringTest::StartsWith(text)) => format!("^{text}"),
        Test::String(StringTest::Contains(text)) => format!("~{text}"),
        Test::String(StringTest::Exact(text)) => format!("={text}"),
        Test::Token(token) => {
            let code = token.code.as_deref().unwrap_or("*");
            match &token.system {
                SystemTest::Any => code.to_owned(),
                SystemTest::Absent => format!("|{code}"),
                SystemTest::Is(system) => format!("{system}|{code}"),
            }
        }
        Test::Reference(ReferenceTest::Is(Target::Local { resource_type, id })) => format!("{resource_type}/{id}"),
        Test::Reference(ReferenceTest::Is(Target::Elsewhere(url))) => format!("<{url}>"),
        Test::Reference(ReferenceTest::Id { id, types }) => format!("{}/{id}", types.join(",")),
        Test::Reference(ReferenceTest::OfType(types)) => format!("{}/…", types.join(",")),
        Test::Reference(ReferenceTest::Among(set)) => format!("one of {} {}", set.ids().len(), set.resource_type()),
        Test::Date(test) => told_date(test),
        Test::Number(number) => told_number(number),
        Test::Quantity { number, system, code } => {
            let part = |text: &Option<_>| text.clone().unwrap_or_default();
            format!("{}|{}|{}", told_number(number), part(system), part(code))
        }
        Test::Uri(UriTest::Is(uri)) => format!("<{uri}>"),
        Test::Uri(UriTest::Below(uri)) => format!("<{uri}…>"),
        Test::Uri(UriTest::Above(uri)) => format!("<…{uri}>"),
        Test::Near { latitude, longitude, metres } => format!("{metres} m of {latitude},{longitude}"),
    }
}

fn told_date(test: &DateTest) -> String {
    let moment = |at| format_instant(at).replace(".000000Z", "Z");
    format!("{} {}..{}", comparison(test.comparison), moment(test.low), moment(test.high))
}

fn told_number(test: &NumberTest) -> String {
    format!("{} {}..{}", comparison(test.comparison), test.low, test.high)
}

const fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Within => "in",
        Comparison::NotWithin => "not-in",
        Comparison::Greater => ">",
        Comparison::Less => "<",
        Comparison::GreaterOrWithin => ">=",
        Comparison::LessOrWithin => "<=",
        Comparison::After => "after",
        Comparison::Before => "before",
        Comparison::Overlaps => "overlaps",
    }
}

fn includes(of: &str, query: &str) -> Vec<String> {
    let parsed = read(r4(), &[of], query, Handling::Strict).unwrap();
    let line = |include: &Include| {
        let mut line = String::new();
        if include.way == IncludeWay::Reverse {
            line.push_str("reverse ");
        }
        if include.iterate == Iterate::Repeatedly {
            line.push_str("again ");
        }
        let params: Vec<_> = include.params.iter().map(|param| format!("{}:{}", param.base, param.code)).collect();
        let _ = write!(line, "{}", params.join(" "));
        if !include.types.is_empty() {
            let _ = write!(line, " -> {}", include.types.join("/"));
        }
        line
    };
    parsed.query.includes.iter().map(line).collect()
}

// The volets' own searches.

/// An author found directly, or through a role of the practitioner.
fn by_practitioner(criteria: &str) -> String {
    format!("(author->Practitioner [{criteria}] or author->PractitionerRole [practitioner->Practitioner [{criteria}]])")
}

#[test]
fn the_searches_of_the_volet_are_understood() {
    let author = by_practitioner("identifier 80123456789");
    assert_eq!(
        note("_include=*&patient.identifier=1234567890112345678901&author:Practitioner.identifier=80123456789"),
        format!("(subject->Patient [identifier 1234567890112345678901] and {author})")
    );
    assert_eq!(
        note("_include=DocumentReference:subject&author:Practitioner.family=Dupont&author:Practitioner.given=Marie"),
        by_practitioner("(family ^dupont and given ^marie)")
    );
    let date = "date >= 2013-03-15T23:00:00Z..2013-03-16T23:00:00Z";
    assert_eq!(note("_include=*&date=ge2013-03-16"), date);
    assert_eq!(
        note("subject:Patient.identifier=urn:oid:1.2.250.1.213.1.4.8|1"),
        "subject->Patient [identifier urn:oid:1.2.250.1.213.1.4.8|1]"
    );
    assert_eq!(note("author:RelatedPerson.name=Martin"), "author->RelatedPerson [name ^martin]");
    assert_eq!(
        note("identifier=http://EtablissementSource.fr|58619"),
        "identifier http://EtablissementSource.fr|58619"
    );
    assert_eq!(note("security-label=MASQUE_PS&urgent=true"), "(security-label MASQUE_PS and urgent true)");
    assert_eq!(note(""), "always");
}

#[test]
fn an_untyped_chain_leads_to_every_type_that_has_the_parameter() {
    assert_eq!(
        note("subject.identifier=1"),
        "subject->Device/Group/Patient/Practitioner [identifier 1]"
            .replace("[identifier 1]", "[(identifier 1 or identifier 1 or identifier 1 or identifier 1)]")
    );
    assert_eq!(
        note("subject.birthdate=1975"),
        "subject->Patient [birthdate in 1974-12-31T23:00:00Z..1975-12-31T23:00:00Z]"
    );
    // The types must have all that is asked of them.
    assert_eq!(
        note("subject.identifier=1&subject.birthdate=1975"),
        "subject->Patient [(identifier 1 and birthdate in 1974-12-31T23:00:00Z..1975-12-31T23:00:00Z)]"
    );
    // A device has a model, a group has members, and nothing has both.
    assert_eq!(note("subject.model=X&subject.member=Patient/1"), "never");
    assert_eq!(
        refused(r4(), "DocumentReference", "subject.colour=red"),
        [(IssueKind::NotSupported, "http.subject.colour".to_owned())]
    );
}

#[test]
fn chains_may_be_long_but_not_endless() {
    assert_eq!(
        filter(
            r4(),
            "Slot",
            "schedule.actor:PractitionerRole.location.address=Paris&schedule.actor:PractitionerRole.role=60"
        ),
        "schedule->Schedule [actor->PractitionerRole [(role 60 and location->Location [address ^paris])]]"
    );
    // The agenda volet prints an address of the role itself.
    assert_eq!(
        filter(r4(), "Slot", "schedule.actor:PractitionerRole.address=Paris"),
        "schedule->Schedule [actor->PractitionerRole [location->Location [address ^paris]]]"
    );
    let long = "partof.partof.partof.partof.partof.partof.name=A";
    let place = long.trim_end_matches("=A");
    assert_eq!(refused(r4(), "Organization", long), [(IssueKind::TooCostly, format!("http.{place}"))]);
    // A chain through anything at all leads to the types that have all its links.
    let through_anything = filter(r4(), "List", "item.subject.general-practitioner.organization.partof.name=A");
    assert!(through_anything.starts_with("item->Basic/CareTeam/Communication"));
}

#[test]
fn a_search_that_comes_to_too_many_conditions_is_refused() {
    let zone = zone();
    let limits = SearchLimits { clauses: 60, ..SearchLimits::default() };
    let context = SearchContext { zone: &zone, now: 0, bases: &[], limits };
    let pairs = |name: &str| [(name.to_owned(), "1".to_owned())];
    let request = |pairs| SearchRequest {
        release: r4(),
        types: &["List"],
        pairs,
        handling: Handling::Lenient,
        context: &context,
    };
    let (vague, precise) =
        (pairs("item.subject.identifier"), pairs("item:DocumentReference.subject:Patient.identifier"));
    assert_eq!(parse(&request(&vague)).unwrap_err()[0].kind, IssueKind::TooCostly);
    assert!(parse(&request(&precise)).is_ok());
}

#[test]
fn what_refers_here_is_asked_with_has() {
    assert_eq!(
        filter(
            r4(),
            "Patient",
            "_has:DocumentReference:subject:type=OBS&_has:DocumentReference:subject:status=current"
        ),
        "DocumentReference.subject<- [(type OBS and status current)]"
    );
    assert_eq!(
        filter(r4(), "Practitioner", "_has:PractitionerRole:practitioner:_has:DocumentReference:author:urgent=true"),
        "PractitionerRole.practitioner<- [DocumentReference.author<- [urgent true]]"
    );
    assert_eq!(
        refused(r4(), "Patient", "_has:DocumentReference:subject=1"),
        [(IssueKind::Value, "http._has:DocumentReference:subject".to_owned())]
    );
    assert_eq!(
        refused(r4(), "Endpoint", "_has:DocumentReference:subject:type=OBS"),
        [(IssueKind::Value, "http._has:DocumentReference:subject:type".to_owned())]
    );
}

#[test]
fn the_names_of_2017_mean_what_the_r4_view_has() {
    let stu3 = |query| filter(stu3(), "DocumentReference", query);
    assert_eq!(
        stu3("created=ge2017-06-01&type=OBS&securityLabel=N"),
        "(date >= 2017-05-31T22:00:00Z..2017-06-01T22:00:00Z and type OBS and security-label N)"
    );
    assert_eq!(stu3("securitylabel=N&class=X"), "(security-label N and category X)");
    assert_eq!(
        stu3("masterIdentifier=http://EtablissementSource.fr|58619"),
        "identifier http://EtablissementSource.fr|58619"
    );
    assert_eq!(stu3("masterIdentifier=|b1&masterIdentifier=b2"), "(identifier |b1 and identifier b2)");
    assert_eq!(stu3("related-id=urn:oid:1.2|7"), "related:identifier urn:oid:1.2|7");
    assert_eq!(stu3("author:Practitioner.family=Dupont"), by_practitioner("family ^dupont"));
    // Each base has its own names.
    assert_eq!(refused(crate::release::stu3(), "DocumentReference", "security-label=N").len(), 1);
    assert_eq!(refused(r4(), "DocumentReference", "created=2017").len(), 1);
    // Codes that changed their spelling are asked in that of the base.
    assert_eq!(filter(crate::release::stu3(), "CommunicationRequest", "status=cancelled"), "status revoked");
    assert_eq!(filter(r4(), "CommunicationRequest", "status=cancelled"), "status cancelled");
    assert_eq!(filter(crate::release::stu3(), "Appointment", "status=pending"), "(status pending or status waitlist)");
}

#[test]
fn the_care_team_searches_are_understood() {
    assert_eq!(
        filter(
            r4(),
            "CareTeam",
            "_include:iterate=CareTeam:subject&participant:RelatedPerson.name:exact=Ducros&participant:RelatedPerson.address=Tourcoing"
        ),
        "participant->RelatedPerson [(name =Ducros and address ^tourcoing)]"
    );
    assert_eq!(
        filter(
            r4(),
            "CareTeam",
            "participant:PractitionerRole.practitioner.name=Brooks&participant:Organization.partof.name=CH"
        ),
        "(participant->PractitionerRole [practitioner->Practitioner [name ^brooks]] and participant->Organization [partof->Organization [name ^ch]])"
    );
    assert_eq!(
        filter(r4(), "CareTeam", "participant:RelatedPerson._id=r1&start=2020&managingOrganization=Organization/o1"),
        "(start in 2019-12-31T23:00:00Z..2020-12-31T23:00:00Z and managingOrganization Organization/o1 and participant->RelatedPerson [id r1])"
    );
    assert_eq!(filter(r4(), "Patient", "birthplace=Vannes"), "birthplace ^vannes");
}

// Values.

#[test]
fn commas_are_or_and_repetition_is_and() {
    assert_eq!(note("type=OBS,GEN&status=current"), "((type OBS or type GEN) and status current)");
    assert_eq!(note("type=OBS&type=GEN"), "(type OBS and type GEN)");
    assert_eq!(filter(r4(), "Patient", r"family=Du\,pont,Martin"), "(family ^du,pont or family ^martin)");
    assert_eq!(filter(r4(), "Patient", r"identifier=a\|b"), "identifier a|b");
    assert_eq!(filter(r4(), "Patient", r"identifier=urn:oid:1.2|a\|b\$\\c"), r"identifier urn:oid:1.2|a|b$\c");
}

#[test]
fn texts_are_compared_without_case_and_accents_unless_exact() {
    assert_eq!(filter(r4(), "Patient", "family=DÉSIRÉ  Noël"), "family ^desire noel");
    assert_eq!(filter(r4(), "Patient", "family:contains=Éli"), "family ~eli");
    assert_eq!(filter(r4(), "Patient", "family:exact=Éli"), "family =Éli");
}

#[test]
fn tokens_have_four_forms() {
    assert_eq!(note("type=http://a|OBS"), "type http://a|OBS");
    assert_eq!(note("type=|OBS"), "type |OBS");
    assert_eq!(note("type=http://a|"), "type http://a|*");
    assert_eq!(note("type:not=OBS,GEN"), "not (type OBS or type GEN)");
    assert_eq!(refused(r4(), "DocumentReference", "type=|")[0].0, IssueKind::Value);
    assert_eq!(refused(r4(), "DocumentReference", "type=a|b|c")[0].0, IssueKind::Value);
    assert_eq!(refused(r4(), "Patient", "active=yes")[0].0, IssueKind::Value);
    assert_eq!(filter(r4(), "Patient", "identifier:of-type=http://v2|NH|123"), "identifier:of-type http://v2|NH|123");
    for wrong in ["|NH|123", "http://v2||123", "http://v2|NH|", "http://v2|NH"] {
        assert_eq!(refused(r4(), "Patient", &format!("identifier:of-type={wrong}"))[0].0, IssueKind::Value, "{wrong}");
    }
}

#[test]
fn the_system_of_a_bare_code_is_the_one_of_its_binding() {
    let system = "http://hl7.org/fhir/document-reference-status";
    assert_eq!(note(&format!("status={system}|current")), "status current");
    assert_eq!(note(&format!("status={system}|")), "status present");
    assert_eq!(note("status=http://elsewhere.example|current"), "never");
    assert_eq!(note("status=|current"), "status |current");
}

#[test]
fn a_bar_escaped_after_a_system_is_read_as_a_bar_and_said() {
    let query = r"schedule.actor:PractitionerRole.specialty=https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale\|SM54";
    let parsed = read(r4(), &["Slot"], query, Handling::Strict).unwrap();
    assert!(told(&parsed.query.filter).ends_with("TRE-R38-SpecialiteOrdinale|SM54]]"));
    assert_eq!(parsed.issues.len(), 1);
    assert_eq!(parsed.issues[0].severity, Severity::Information);
}

#[test]
fn references_are_told_by_id_type_or_url() {
    assert_eq!(note("subject=Patient/1"), "subject Patient/1");
    assert_eq!(note("subject=1"), "subject Device,Group,Patient,Practitioner/1");
    assert_eq!(note("subject:Patient=1"), "subject Patient/1");
    assert_eq!(note("patient=1"), "subject Patient/1");
    assert_eq!(note("patient=Patient/1"), "subject Patient/1");
    assert_eq!(note("subject=https://liaison.example/fhir/r4/Patient/1"), "subject Patient/1");
    assert_eq!(note("subject=https://liaison.example/fhir/stu3/Patient/1/_history/2"), "subject Patient/1");
    assert_eq!(note("subject=https://other.example/fhir/Patient/1"), "subject <https://other.example/fhir/Patient/1>");
    assert_eq!(
        note("subject=urn:uuid:0d920958-b596-4b91-af67-9bafc707820b"),
        "subject <urn:uuid:0d920958-b596-4b91-af67-9bafc707820b>"
    );
    assert_eq!(note("subject:identifier=urn:oid:1.2|7"), "subject:identifier urn:oid:1.2|7");
    assert_eq!(note("relatesto=DocumentReference/m"), "relatesto DocumentReference/m");
    assert_eq!(
        filter(r4(), "StructureDefinition", "base=http://hl7.org/fhir/StructureDefinition/Patient"),
        "base <http://hl7.org/fhir/StructureDefinition/Patient>"
    );
    for wrong in [
        "subject=Location/1",
        "patient=Device/1",
        "subject:Location=1",
        "subject=a/b/c",
        "subject=#x",
        "patient:identifier=1",
    ] {
        assert_eq!(refused(r4(), "DocumentReference", wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn missing_asks_whether_there_is_a_value() {
    assert_eq!(note("type:missing=true"), "not type present");
    assert_eq!(note("subject:missing=false"), "(subject present or subject:identifier present)");
    assert_eq!(note("patient:missing=true"), "not subject Patient/…");
    assert_eq!(refused(r4(), "DocumentReference", "type:missing=perhaps")[0].0, IssueKind::Value);
    assert_eq!(refused(r4(), "DocumentReference", "_id:missing=true")[0].0, IssueKind::NotSupported);
}

#[test]
fn dates_span_what_they_say_in_the_zone_of_the_server() {
    // Clocks went forward on 31 March 2024, a day of 23 hours; back on 27 October, one of 25.
    assert_eq!(note("date=2024-03-31"), "date in 2024-03-30T23:00:00Z..2024-03-31T22:00:00Z");
    assert_eq!(note("date=2024-10-27"), "date in 2024-10-26T22:00:00Z..2024-10-27T23:00:00Z");
    assert_eq!(note("date=2024-05"), "date in 2024-04-30T22:00:00Z..2024-05-31T22:00:00Z");
    assert_eq!(note("date=2019-03-04T08:30:00+11:00"), "date in 2019-03-03T21:30:00Z..2019-03-03T21:30:01Z");
    assert_eq!(note("date=2019-03-04T08:30:00 11:00"), "date in 2019-03-03T21:30:00Z..2019-03-03T21:30:01Z");
    assert_eq!(note("date=2019-03-04T08:30"), "date in 2019-03-04T07:30:00Z..2019-03-04T07:31:00Z");
    assert_eq!(note("date=ne2019"), "date not-in 2018-12-31T23:00:00Z..2019-12-31T23:00:00Z");
    assert_eq!(note("date=eq2019"), note("date=2019"));
    for (prefix, word) in
        [("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("sa", "after"), ("eb", "before"), ("eq", "in")]
    {
        let told = filter(r4(), "Encounter", &format!("length={prefix}2"));
        assert_eq!(told.split(' ').nth(1), Some(word), "{told}");
    }
    assert_eq!(
        note("date=sa2019-01-01&date=eb2019-02-01"),
        "(date after 2018-12-31T23:00:00Z..2019-01-01T23:00:00Z and date before 2019-01-31T23:00:00Z..2019-02-01T23:00:00Z)"
    );
    // 2023-12-22 is ten days before the present: a day of margin on each side.
    assert_eq!(note("date=ap2023-12-22T00:00:00Z"), "date overlaps 2023-12-21T00:00:00Z..2023-12-23T00:00:01Z");
    assert_eq!(note("_lastUpdated=gt2024-01-01T00:00:00Z"), "updated > 2024-01-01T00:00:00Z..2024-01-01T00:00:01Z");
    for wrong in
        ["date=xx2019", "date=2019-13", "date=hier", "date=2024-02-30", "date=g", "date=geé", "date:exact=2019"]
    {
        assert_eq!(refused(r4(), "DocumentReference", wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn quantities_uris_and_places_are_understood() {
    assert_eq!(
        filter(r4(), "Encounter", "length=gt2|http://unitsofmeasure.org|h"),
        "length > 2..2|http://unitsofmeasure.org|h"
    );
    assert_eq!(filter(r4(), "Encounter", "length=2.0||h"), "length in 1.95..2.05||h");
    assert_eq!(filter(r4(), "Encounter", "length=ap100"), "length overlaps 90..110||");
    assert_eq!(
        filter(r4(), "ValueSet", "url:below=https://mos.esante.gouv.fr/NOS"),
        "url <https://mos.esante.gouv.fr/NOS…>"
    );
    let address = |length: usize| format!("https://a.example/{}", "b".repeat(length - 18));
    for modifier in ["below", "above"] {
        filter(r4(), "ValueSet", &format!("url:{modifier}={}", address(896)));
        let long = refused(r4(), "ValueSet", &format!("url:{modifier}={}", address(897)));
        assert_eq!(long[0].0, IssueKind::Value, "{modifier}");
    }
    filter(r4(), "ValueSet", &format!("url={}", address(2000)));
    assert_eq!(filter(r4(), "Location", "near=48.85|2.35|5|km"), "near 5000 m of 48.85,2.35");
    assert_eq!(filter(r4(), "Location", "near=48.85|2.35|5"), "near 5000 m of 48.85,2.35");
    assert_eq!(filter(r4(), "Location", "near=-90|180|5|m"), "near 5 m of -90,180");
    assert_eq!(filter(r4(), "Location", "near=48.85|2.35|2|[mi_us]"), "near 3218.688 m of 48.85,2.35");
    assert!(filter(r4(), "Location", "near=48.85|2.35").starts_with("near "));
    for (of, wrong) in [
        ("Location", "near=48.85"),
        ("Location", "near=48|180.5"),
        ("Location", "near=48|2|-5|km"),
        ("Encounter", "length=two"),
        ("Encounter", "length=2|h"),
        ("Location", "near=91|2.35"),
        ("Location", "near=48|2|5|parsec"),
    ] {
        assert_eq!(refused(r4(), of, wrong)[0].0, IssueKind::Value, "{wrong}");
    }
}

// What comes with the matches, and in which order.

#[test]
fn includes_name_parameters_types_or_everything() {
    assert_eq!(includes("DocumentReference", "_include=DocumentReference:subject"), ["DocumentReference:subject"]);
    assert_eq!(
        includes("DocumentReference", "_include=DocumentReference:patient"),
        ["DocumentReference:subject -> Patient"]
    );
    assert_eq!(
        includes("DocumentReference", "_include=DocumentReference:author:PractitionerRole"),
        ["DocumentReference:author -> PractitionerRole"]
    );
    assert_eq!(includes("DocumentReference", "_include=DocumentReference.author"), ["DocumentReference:author"]);
    let all = includes("DocumentReference", "_include=*");
    for reference in ["subject", "author", "relatesto", "related", "encounter", "custodian", "authenticator"] {
        assert!(all[0].contains(&format!("DocumentReference:{reference}")), "{reference}");
    }
    assert_eq!(all, includes("DocumentReference", "_include=DocumentReference:*"));
    assert!(includes("CareTeam", "_include:iterate=*")[0].contains("PractitionerRole:practitioner"));
    assert_eq!(
        includes("Slot", "_include=Slot:schedule&_include=Schedule:actor"),
        ["Slot:schedule", "again Schedule:actor"]
    );
    assert_eq!(
        includes(
            "DocumentReference",
            "_revinclude=DocumentReference:relatesto&_include:recurse=PractitionerRole:practitioner"
        ),
        ["reverse DocumentReference:relatesto -> DocumentReference", "again PractitionerRole:practitioner"]
    );
    for wrong in [
        "_include=DocumentReference:type",
        "_include=Foo:bar",
        "_include=DocumentReference:subject:Location",
        "_include=subject",
        "_revinclude=Slot:schedule",
        "_include:again=*",
    ] {
        assert_eq!(refused(r4(), "DocumentReference", wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn the_order_has_several_keys() {
    let parsed = read(r4(), &["DocumentReference"], "_sort=-date,_id", Handling::Strict).unwrap();
    let keys: Vec<_> = parsed
        .query
        .sort
        .iter()
        .map(|sort| match sort.by {
            SortKey::Id => ("_id", sort.direction),
            SortKey::LastUpdated => ("_lastUpdated", sort.direction),
            SortKey::Param(param, _) => (param.code, sort.direction),
        })
        .collect();
    assert_eq!(keys, [("date", Direction::Descending), ("_id", Direction::Ascending)]);
    for wrong in ["_sort=nothing", "_sort=date,,type", "_sort:desc=date"] {
        assert_eq!(refused(r4(), "DocumentReference", wrong).len(), 1, "{wrong}");
    }
    assert!(
        read(r4(), &["DocumentReference"], "_sort=date,type,date,type,date,type,date,type", Handling::Strict).is_ok()
    );
    for many in [
        "_sort=date,type,date,type,date,type,date,type,date",
        "_sort=date,type,date,type,date,type,date,type,date,type",
    ] {
        assert_eq!(refused(r4(), "DocumentReference", many).len(), 1, "{many}");
    }
    // Left out, it leaves nothing behind.
    let lenient = "_sort=-date&_sort=type,date,type,date,type,date,type,date";
    let parsed = read(r4(), &["DocumentReference"], lenient, Handling::Lenient).unwrap();
    assert_eq!((parsed.query.sort.len(), parsed.used.len(), parsed.issues.len()), (1, 1, 1));
    assert_eq!(refused(r4(), "Location", "_sort=near"), [(IssueKind::Value, "http._sort".to_owned())]);
}

#[test]
fn pages_summaries_and_elements_are_controls() {
    let query = "_count=20&_total=accurate&_summary=text&_elements=resourceType,type,DocumentReference.date&_format=json&_cursor=abc";
    let parsed = read(r4(), &["DocumentReference"], query, Handling::Strict).unwrap();
    let expected = PageControls {
        count: Some(20),
        total: Total::Accurate,
        cursor: Some("abc".to_owned()),
        summary: SummaryMode::Text,
        elements: ["resourceType", "type", "date"].map(str::to_owned).into(),
    };
    assert_eq!(parsed.page, expected);
    let used: Vec<_> = parsed.used.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(used, ["_count", "_total", "_summary", "_elements"]);
    for wrong in [
        "_count=-1",
        "_count=501",
        "_count=1&_count=2",
        "_total=some",
        "_summary=short",
        "_elements=colour",
        "_elements=Patient.date",
        "_contained=true",
        "_type=Patient",
    ] {
        assert_eq!(refused(r4(), "DocumentReference", wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn the_whole_system_is_searched_by_what_all_types_share() {
    let parsed = read(r4(), &[], "_lastUpdated=ge2024&_type=Patient,Practitioner", Handling::Strict).unwrap();
    assert_eq!(parsed.query.types, ["Patient", "Practitioner"]);
    let twice = read(r4(), &[], "_lastUpdated=ge2024&_type=Patient,Practitioner,Patient", Handling::Strict).unwrap();
    assert_eq!(twice.query.types, ["Patient", "Practitioner"]);
    let parsed = read(r4(), &[], "_id=1", Handling::Strict).unwrap();
    assert_eq!((parsed.query.types, told(&parsed.query.filter)), (vec![], "id 1".to_owned()));
    let parsed = read(r4(), &[], "_type=Patient,Practitioner&name:missing=true", Handling::Strict).unwrap();
    assert_eq!(told(&parsed.query.filter), "not (name present or name present)");
    assert!(read(r4(), &[], "name=Dupont", Handling::Strict).is_err());
    assert!(read(r4(), &[], "_type=Unicorn", Handling::Lenient).is_err());
    assert!(read(r4(), &["Unicorn"], "", Handling::Lenient).is_err());
}

// What is not understood.

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let wrong = refused(r4(), "DocumentReference", "typ=OBS&date=hier&subject:shiny=1&status=current");
    let places: Vec<_> = wrong.iter().map(|(_, place)| place.as_str()).collect();
    assert_eq!(places, ["http.typ", "http.date", "http.subject:shiny"]);
    assert!(said("DocumentReference", "typ=OBS").contains("Did you mean \"type\"?"));
    assert!(said("DocumentReference", "securityLabel=N").contains("\"security-label\""));
    assert!(said("DocumentReference", "subject:shiny=1").contains(":identifier"));
    assert!(said("Patient", "phonetic=Martin").contains("use name"));
    assert!(said("DocumentReference", "relationship=a$b").contains("composite"));
}

#[test]
fn empty_values_are_refused() {
    for empty in ["type=", "type=OBS,", "type=,OBS", "_sort=", "_id=", "subject.identifier="] {
        assert_eq!(refused(r4(), "DocumentReference", empty).len(), 1, "{empty}");
    }
}

#[test]
fn lenient_handling_leaves_out_and_warns() {
    let query = "typ=OBS&date=hier&status=current&_sort=nothing&_include=*";
    let parsed = read(r4(), &["DocumentReference"], query, Handling::Lenient).unwrap();
    assert_eq!(told(&parsed.query.filter), "status current");
    let used: Vec<_> = parsed.used.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(used, ["status=current", "_include=*"]);
    let issues: Vec<_> = parsed.issues.iter().map(|issue| (issue.severity, issue.place.as_str())).collect();
    let warning = |place| (Severity::Warning, place);
    assert_eq!(issues, [warning("http.typ"), warning("http.date"), warning("http._sort")]);
}

#[test]
fn limits_hold_whatever_the_handling() {
    let long = format!("family={}", "a".repeat(9_000));
    let values = format!("identifier={}", vec!["1"; 501].join(","));
    let pairs = vec!["family=a"; 201].join("&");
    let chain = "general-practitioner:Organization.partof.partof.partof.partof.partof.name=A";
    for query in [long.as_str(), &values, &pairs, chain, "_count=100000"] {
        for handling in [Handling::Strict, Handling::Lenient] {
            let issues = read(r4(), &["Patient"], query, handling).unwrap_err();
            assert!(issues.iter().all(refusal::is_limit), "{issues:?}");
        }
    }
}

fn random_name() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "subject",
        "patient",
        "author",
        "type",
        "date",
        "_has",
        "_id",
        "DocumentReference",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "identifier",
        "family",
        "name",
        "missing",
        "not",
        "exact",
        "relatesto",
        "_include",
        "_sort",
        "*",
        "",
        "é",
        "near",
        "_lastUpdated",
        "practitioner",
        "organization",
        "partof",
        "of-type",
        "iterate",
    ]);
    let separator = prop::sample::select(vec![":", ".", ""]);
    prop::collection::vec((word, separator), 1..8)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, separator)| [word, separator]).collect::<String>())
}

fn random_value() -> impl Strategy<Value = String> {
    prop_oneof![
        r"[a-zA-Z0-9é|,$\\:/#. +-]{0,30}",
        ".{0,12}",
        random_name(),
        prop::sample::select(vec![
            "true",
            "ge2024-03-31",
            "Patient/1",
            "a|b",
            "1|2|3|km",
            "-date",
            "9999-12-31",
            "ap0001"
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn no_query_makes_the_reader_panic(
        pairs in prop::collection::vec((random_name(), random_value()), 0..5),
        of in prop::sample::select(vec!["DocumentReference", "Patient", "Location", "List", "Encounter"]),
        system in any::<bool>(),
    ) {
        let zone = zone();
        let context = SearchContext { zone: &zone, now: 0, bases: &[], limits: SearchLimits::default() };
        let one = [of];
        let types: &[&str] = if system { &[] } else { &one };
        for release in [r4(), stu3()] {
            let request = |handling| SearchRequest { release, types, pairs: &pairs, handling, context: &context };
            let strict = parse(&request(Handling::Strict));
            let lenient = parse(&request(Handling::Lenient));
            // What strict handling takes, lenient handling takes as it is.
            if let Ok(strict) = strict {
                prop_assert_eq!(Ok(strict), lenient);
            } else if let Ok(lenient) = lenient {
                prop_assert!(lenient.used.len() < pairs.len() || lenient.issues.iter().any(|issue| issue.severity == Severity::Warning));
            }
        }
    }
}
