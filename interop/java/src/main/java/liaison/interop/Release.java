package liaison.interop;

import ca.uhn.fhir.context.FhirContext;
import org.hl7.fhir.instance.model.api.IBaseBundle;

/** A FHIR release, as HAPI and the server name it. */
enum Release {
    R4("r4", "4.0.1", "date", org.hl7.fhir.r4.model.Bundle.class),
    STU3("stu3", "3.0.2", "created", org.hl7.fhir.dstu3.model.Bundle.class);

    /** The last part of the base's address. */
    final String path;
    /** The version of FHIR the server says. */
    final String fhirVersion;
    /** The parameter, and the element, that dates a note. */
    final String date;
    /** HAPI's class of bundles. */
    final Class<? extends IBaseBundle> bundle;

    Release(String path, String fhirVersion, String date, Class<? extends IBaseBundle> bundle) {
        this.path = path;
        this.fhirVersion = fhirVersion;
        this.date = date;
        this.bundle = bundle;
    }

    /** HAPI's context of the release. */
    FhirContext context() {
        return this == R4 ? FhirContext.forR4Cached() : FhirContext.forDstu3Cached();
    }
}
