//! A clinical document (CDA R2, CI-SIS header) for one note: the least that a reader recognises and
//! shows. Everything in it is invented.

use jiff::Zoned;

use super::{
    circle::Member::{Doctor, Jeanne, Service},
    notes::Note,
};

/// The document joined to a note.
pub fn document(note: &Note, moment: &Zoned) -> String {
    let time = moment.strftime("%Y%m%d%H%M%S%z");
    let ((_, person), (_, doctor), (_, service)) = (Jeanne.identifier(), Doctor.identifier(), Service.identifier());
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <realmCode code="FR"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.2.8.2.1"/>
  <templateId root="1.2.250.1.213.1.1.1.1"/>
  <id root="2.25.{number}"/>
  <code code="11488-4" codeSystem="2.16.840.1.113883.6.1" displayName="Compte rendu de consultation"/>
  <title>Compte rendu de consultation</title>
  <effectiveTime value="{time}"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <recordTarget><patientRole>
    <id root="1.2.250.1.213.1.4.11" extension="{person}"/>
    <patient>
      <name><given>Jeanne</given><family>MOREL</family></name>
      <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
      <birthTime value="19410312"/>
    </patient>
  </patientRole></recordTarget>
  <author>
    <time value="{time}"/>
    <assignedAuthor>
      <id root="1.2.250.1.71.4.2.1" extension="8{doctor}"/>
      <assignedPerson><name><given>Paul</given><family>KERVELLA</family></name></assignedPerson>
    </assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <id root="1.2.250.1.71.4.2.2" extension="1{service}"/>
    <name>SSIAD Les Ajoncs</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <component><structuredBody>
    <component><section>
      <title>Évolution</title>
      <text><paragraph>Marche avec déambulateur, sans douleur au repos. Cicatrice sèche. Talon gauche guéri.</paragraph></text>
    </section></component>
    <component><section>
      <title>Suite proposée</title>
      <text><list><item>Poursuivre la kinésithérapie.</item><item>Revoir dans un mois.</item></list></text>
    </section></component>
  </structuredBody></component>
</ClinicalDocument>
"#,
        number = note.number
    )
}
