package liaison.judge;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.hl7.fhir.r5.context.IWorkerContext;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.model.ElementDefinition;
import org.hl7.fhir.r5.model.Resource;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.r5.model.ValueSet;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidationPolicyAdvisor.AdditionalBindingPurpose;
import org.hl7.fhir.r5.utils.validation.IValidationPolicyAdvisor.CodedContentValidationAction;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.BindingKind;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.validation.instance.advisor.BasePolicyAdvisorForFullValidation;

/** What the validator would ask the network, answered from what is known here. */
final class Offline {
    /** Value sets of standards that have no list of codes: only a terminology server could judge their codes. */
    private static final List<String> WITHOUT_LIST = List.of("http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/languages", "http://hl7.org/fhir/ValueSet/all-languages",
        "http://hl7.org/fhir/ValueSet/currencies", "http://hl7.org/fhir/ValueSet/ucum-units",
        "http://hl7.org/fhir/ValueSet/timezones", "http://hl7.org/fhir/ValueSet/jurisdiction");

    private static final String FHIR = "http://hl7.org/fhir/";
    /** Code systems of HL7 v2 and v3, which had other addresses in STU3; and what no archive brings for STU3. */
    private static final List<String> NOT_IN_THE_ARCHIVES = List.of("v2/", "v3/", "SearchParameter/", "OperationDefinition/");

    private Offline() {}

    /** Fetches nothing; knows the addresses of the definitions it has been given. */
    static final class Fetcher implements IValidatorResourceFetcher {
        private final IWorkerContext context;

        Fetcher(IWorkerContext context) {
            this.context = context;
        }

        @Override
        public Element fetch(IResourceValidator validator, Object appContext, String url) {
            return null;
        }

        @Override
        public boolean resolveURL(IResourceValidator validator, Object appContext, String path, String url, String type,
                boolean canonical, List<CanonicalType> targets) {
            boolean ofFhir = url.startsWith(FHIR) && NOT_IN_THE_ARCHIVES.stream().noneMatch(kind -> url.startsWith(FHIR + kind));
            if (!canonical && !"canonical".equals(type) && !ofFhir) {
                return true;
            }
            return context.fetchResource(Resource.class, url) != null;
        }

        @Override
        public byte[] fetchRaw(IResourceValidator validator, String url) {
            return null;
        }

        @Override
        public IValidatorResourceFetcher setLocale(Locale locale) {
            return this;
        }

        @Override
        public CanonicalResource fetchCanonicalResource(IResourceValidator validator, Object appContext, String url) {
            return null;
        }

        @Override
        public boolean fetchesCanonicalResource(IResourceValidator validator, String url) {
            return false;
        }

        @Override
        public Set<ResourceVersionInformation> fetchCanonicalResourceVersions(IResourceValidator validator, Object appContext,
                String url) {
            return Set.of();
        }
    }

    /** The usual policy, but for codes nobody can judge offline, and references into the server that answered. */
    static final class Policy extends BasePolicyAdvisorForFullValidation {
        Policy() {
            super(ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS, Set.of());
        }

        @Override
        public EnumSet<CodedContentValidationAction> policyForCodedContent(IResourceValidator validator, Object appContext,
                String stackPath, ElementDefinition definition, StructureDefinition structure, BindingKind kind,
                AdditionalBindingPurpose purpose, ValueSet valueSet, List<String> systems) {
            if (valueSet != null && WITHOUT_LIST.contains(valueSet.getUrl())) {
                return EnumSet.noneOf(CodedContentValidationAction.class);
            }
            return super.policyForCodedContent(validator, appContext, stackPath, definition, structure, kind, purpose, valueSet, systems);
        }
    }
}
