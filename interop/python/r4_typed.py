"""Reads R4 answers with the typed models of fhirclient, which refuse what R4 does not have."""

from fhirclient.models import fhirelementfactory


def read(resource):
    """The typed resource; raises when it is not R4. Entries of a Bundle are typed as well."""
    return fhirelementfactory.FHIRElementFactory.instantiate(resource["resourceType"], resource)
