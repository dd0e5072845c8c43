"""Plans as FHIR R4: MedicationRequest, MedicationStatement and Bundle, in and out."""
