package liaison.judge;

/** A FHIR release: how its files end (before the encoding), and where its definitions are. */
enum Release {
    R4(".r4", "4.0.1", "hl7.fhir.r4.core", "org/hl7/fhir/r4/model"),
    STU3(".stu3", "3.0.2", "hl7.fhir.r3.core", "org/hl7/fhir/dstu3/model");

    /** How the names of its files end. */
    final String ending;
    /** Its version. */
    final String version;
    /** The package HL7 publishes it in, by which the validator knows types of FHIR from others. */
    final String packageName;
    /** Where its definitions are in HAPI's archives. */
    final String folder;

    Release(String ending, String version, String packageName, String folder) {
        this.ending = ending;
        this.version = version;
        this.packageName = packageName;
        this.folder = folder;
    }

    /** Its version without the last part. */
    String shortVersion() {
        return version.substring(0, version.lastIndexOf('.'));
    }

    /** The release that resources come from that were written in another form. */
    Release other() {
        return this == R4 ? STU3 : R4;
    }
}
