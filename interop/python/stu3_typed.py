"""Reads STU3 answers with the typed models of fhir.resources, which refuse what STU3 does not have."""

from fhir.resources.STU3 import get_fhir_model_class


def read(resource):
    """The typed resource; raises when it is not STU3. Entries of a Bundle are typed as well."""
    return get_fhir_model_class(resource["resourceType"]).model_validate(resource)
