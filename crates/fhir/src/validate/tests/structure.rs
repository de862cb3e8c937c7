use super::{patient, r4, stu3};

#[test]
fn resource_types_are_known_or_told_apart() {
    r4(r#"{"resourceType":"Patient"}"#, &[]);
    r4(r#"{"resourceType":"Patiente"}"#, &["Patiente: Did you mean \"Patient\"?"]);
    r4(r#"{"resourceType":"Account"}"#, &["Account: does not hold it"]);
    r4(r#"{"resourceType":"Xyzzy"}"#, &["Xyzzy: no such resource type"]);
    r4(r#"{"resourceType":"HumanName"}"#, &["HumanName: no such resource type"]);
    r4(r#"{"resourceType":"DomainResource"}"#, &["DomainResource: no such resource type"]);
    r4(r#"{"id":"x"}"#, &[": \"resourceType\" is missing"]);
    r4(r#"{"resourceType":1}"#, &[": must be a string"]);
}

#[test]
fn unknown_elements_are_refused_where_they_stand() {
    patient(r#""brithDate":"1950""#, &["Patient.brithDate: Did you mean \"birthDate\"?"]);
    patient(r#""name":[{"family":"A"},{"prenom":"B"}]"#, &["Patient.name[1].prenom: unknown in HumanName"]);
    patient(r#""_nom":{"id":"x"}"#, &["Patient._nom: unknown"]);
    patient(r#""value":"x""#, &["Patient.value: unknown"]);
    patient(r#""resourcetype":"x""#, &["Patient.resourcetype: unknown"]);
    patient(r#""name":[{"resourceType":"HumanName","family":"A"}]"#, &["Patient.name[0].resourceType: unknown"]);
    // What one release has and the other has not.
    stu3(r#"{"resourceType":"Patient","animal":{"species":{"text":"chat"}}}"#, &[]);
    patient(r#""animal":{"species":{"text":"chat"}}"#, &["Patient.animal: unknown"]);
}

#[test]
fn shapes_are_those_of_the_definition() {
    patient(r#""name":{"family":"A"}"#, &["Patient.name: writes it as an array"]);
    patient(r#""birthDate":["1950"]"#, &["Patient.birthDate: must not be an array"]);
    patient(r#""name":["A"]"#, &["Patient.name[0]: An object (HumanName)"]);
    patient(r#""name":[["A"]]"#, &["Patient.name[0]: An object (HumanName)"]);
    patient(r#""name":[null]"#, &["Patient.name[0]: An object (HumanName)"]);
    patient(r#""birthDate":{"value":"1950"}"#, &["Patient.birthDate: A string"]);
    patient(r#""birthDate":null"#, &["Patient.birthDate: null is no value"]);
    patient(r#""birthDate":1950"#, &["Patient.birthDate: A string"]);
    patient(r#""active":"true""#, &["Patient.active: A boolean"]);
    patient(r#""multipleBirthInteger":"2""#, &["Patient.multipleBirth: A number"]);
    patient(r#""contained":["x"]"#, &["Patient.contained[0]: An object (Resource)"]);
    patient(r#""maritalStatus":"M""#, &["Patient.maritalStatus: An object (CodeableConcept)"]);
}

#[test]
fn nothing_is_empty() {
    patient(r#""name":[]"#, &["Patient.name: The array is empty"]);
    patient(r#""name":[{}]"#, &["Patient.name[0]: The object is empty"]);
    patient(r#""name":[{"id":"x"}]"#, &["Patient.name[0]: The object is empty"]);
    patient(r#""language":"""#, &["Patient.language: The value is empty"]);
    patient(r#""name":[{"family":" "}]"#, &["Patient.name[0].family: nothing but blanks"]);
    patient(r#""name":[{"given":[]}]"#, &["Patient.name[0].given: The array is empty"]);
    patient(r#""_birthDate":{}"#, &["Patient.birthDate: The object is empty"]);
    patient(r#""name":[{"_given":[]}]"#, &["Patient.name[0].given: The array is empty"]);
}

#[test]
fn ids_and_extensions_of_primitives_stand_beside_them() {
    const X: &str = r#"{"extension":[{"url":"http://x","valueCode":"c"}]}"#;
    patient(&format!(r#""birthDate":"1950","_birthDate":{X}"#), &[]);
    patient(&format!(r#""_birthDate":{X}"#), &[]);
    patient(r#""birthDate":"1950","_birthDate":{"id":"a"}"#, &[]);
    patient(r#""birthDate":"1950","_birthDate":{"id":1}"#, &["Patient.birthDate.id: A string"]);
    patient(r#""_birthDate":{"id":"a"}"#, &["Patient.birthDate: The object is empty"]);
    patient(r#""_birthDate":{"id":"a","value":"x"}"#, &["Patient.birthDate.value: unknown in Element"]);
    patient(&format!(r#""_birthDate":[{X}]"#), &["Patient.birthDate: must hold objects"]);
    patient(r#""_birthDate":"x""#, &["Patient.birthDate: must hold objects"]);
    patient(&format!(r#""_maritalStatus":{X}"#), &["Patient.maritalStatus: does not exist"]);
    patient(&format!(r#""name":[{{"given":["A",null],"_given":[null,{X}]}}]"#), &[]);
    patient(&format!(r#""name":[{{"_given":[{X}]}}]"#), &[]);
    patient(&format!(r#""name":[{{"_given":{X}}}]"#), &["Patient.name[0].given: must hold objects"]);
    patient(&format!(r#""name":[{{"_given":[null,{X}]}}]"#), &["Patient.name[0].given[0]: must hold objects"]);
    patient(
        &format!(r#""name":[{{"given":["A"],"_given":[null,{X}]}}]"#),
        &["Patient.name[0].given: must be of the same length"],
    );
    patient(r#""name":[{"given":["A",null]}]"#, &["Patient.name[0].given[1]: null stands only"]);
    patient(r#""name":[{"given":[null],"_given":[null]}]"#, &["Patient.name[0].given[0]: null stands only"]);
    patient(r#""text":{"status":"generated","_div":{"id":"x"}}"#, &["Patient.text.div: does not exist"]);
}

#[test]
fn what_is_required_is_asked_for() {
    r4(
        r#"{"resourceType":"DocumentReference"}"#,
        &["DocumentReference.status: is required", "DocumentReference.content: is required"],
    );
    r4(
        r#"{"resourceType":"DocumentReference","status":"current","content":[{"format":{"code":"x"}}]}"#,
        &["DocumentReference.content[0].attachment: is required"],
    );
    // Extensions alone are enough to be there.
    r4(
        r#"{"resourceType":"DocumentReference","_status":{"extension":[{"url":"http://x","valueCode":"c"}]},"content":[{"attachment":{"url":"http://x"}}]}"#,
        &[],
    );
    r4(
        r#"{"resourceType":"SearchParameter","url":"u","name":"N","status":"draft","description":"d","code":"c","type":"date"}"#,
        &["SearchParameter.base: is required"],
    );
    patient(r#""link":[{"other":{"reference":"Patient/1"}}]"#, &["Patient.link[0].type: is required"]);
}

#[test]
fn a_choice_has_one_form() {
    patient(
        r#""deceasedBoolean":true,"deceasedDateTime":"2024""#,
        &["Patient.deceased: \"deceasedBoolean\" and \"deceasedDateTime\" are forms of one element"],
    );
    patient(r#""deceasedString":"x""#, &["Patient.deceasedString: unknown"]);
    patient(r#""deceasedBoolean":true,"_deceasedBoolean":{"id":"x"}"#, &[]);
    patient(
        r#""deceasedBoolean":true,"_deceasedDateTime":{"extension":[{"url":"http://x","valueCode":"c"}]}"#,
        &["Patient.deceased: are forms of one element"],
    );
}

#[test]
fn primitive_values_are_judged_at_their_place() {
    patient(r#""birthDate":"1950-13-45""#, &["Patient.birthDate: not a date of the calendar"]);
    patient(r#""id":"a b""#, &["Patient.id: is not an id"]);
    patient(r#""photo":[{"contentType":"image/png","data":"???"}]"#, &["Patient.photo[0].data: not base64"]);
    patient(r#""telecom":[{"system":"phone","value":"1","rank":0}]"#, &["Patient.telecom[0].rank: from 1 to"]);
    patient(r#""identifier":[{"system":"a b","value":"x"}]"#, &["Patient.identifier[0].system: is not a URI"]);
    patient(r#""meta":{"lastUpdated":"2024-01-01"}"#, &["Patient.meta.lastUpdated: is not an instant"]);
}

#[test]
fn codes_of_required_bindings_are_in_their_list() {
    patient(r#""gender":"male""#, &[]);
    patient(r#""gender":"homme""#, &["Patient.gender: allowed: female, male, other, unknown"]);
    patient(r#""gender":"Male""#, &["Patient.gender: \"Male\" is not in"]);
    for wrong in ["png", "image/", "/png", "image/p ng"] {
        let photo = format!(r#""photo":[{{"contentType":"{wrong}"}}]"#);
        patient(&photo, &["Patient.photo[0].contentType: not a media type"]);
    }
    patient(r#""photo":[{"contentType":"text/plain; charset=utf-8"}]"#, &[]);
    patient(
        r#""extension":[{"url":"http://x","valueMoney":{"currency":"euro"}}]"#,
        &["Patient.extension[0].value.currency: not a currency"],
    );
    r4(
        r#"{"resourceType":"Subscription","status":"active","reason":"r","criteria":"c","channel":{"type":"pigeon"}}"#,
        &["Subscription.channel.type: allowed: email, message, rest-hook, sms, websocket"],
    );
}

#[test]
fn findings_are_bounded() {
    let many = (0..500).map(|i| format!("\"x{i}\":1")).collect::<Vec<_>>().join(",");
    let found = super::findings(&format!("{{\"resourceType\":\"Patient\",{many}}}"), crate::release::r4());
    assert_eq!(found.len(), super::MAX_FINDINGS + 1);
    assert!(found.last().unwrap().contains("may be more findings after the first 100"));
}

#[test]
fn warnings_refuse_nothing_however_many() {
    let definition =
        |name: &str| format!(r#"{{"resource":{{"resourceType":"ValueSet","status":"draft","name":"{name}"}}}}"#);
    let bundle = |last: &str| {
        let entries = (0..300).map(|_| definition("not a name")).chain([last.to_owned()]).collect::<Vec<_>>().join(",");
        super::findings(
            &format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}"#),
            crate::release::r4(),
        )
    };
    let found = bundle(&definition("Name"));
    assert_eq!(found.len(), super::MAX_FINDINGS + 1);
    assert!(found.last().unwrap().contains("There are more warnings than these 100"));
    let found = bundle(r#"{"resource":{"resourceType":"ValueSet"}}"#);
    assert!(found.iter().any(|f| f.contains("Bundle.entry[300].resource.status")), "an error after them is told");
}

#[test]
fn resources_in_resources_are_judged_there() {
    r4(
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient"}},{"resource":{"resourceType":"Patient","name":[{"given":["A",""]}]}}]}"#,
        &["Bundle.entry[1].resource.name[0].given[1]: The value is empty"],
    );
    r4(
        r#"{"resourceType":"Parameters","parameter":[{"name":"r","part":[{"name":"p","resource":{"resourceType":"Patient","x":1}}]}]}"#,
        &["Parameters.parameter[0].part[0].resource.x: unknown in Patient"],
    );
}
