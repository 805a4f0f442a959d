"""Decides what stands in the libraries of the demo: plausible resources of invented organisations, in several languages."""

from fedcollab.access.models import CLEAR, GREEN, STRICT

from .record import Record

ENGLISH = (
    (
        CLEAR,
        Record(
            "Eleven questions before you sign: seasonal contracts",
            ("Ilse V.", "Sokha P."),
            "Meridian Outreach",
            2025,
            "en",
            ("KH", "TH"),
            "Guide",
            ("LabourRecruitment", "LegalAdvice"),
            "CC-BY-4.0",
            "Go through them **with** the person, not for them. Works on paper, in twenty minutes.\n\n- Who pays for travel?\n"
            "- Where will I sleep?\n- Who keeps my passport?",
            review_on="2027-06-01",
        ),
    ),
    (
        CLEAR,
        Record(
            "សំណួរដប់មួយ មុនពេលចុះហត្ថលេខា",
            ("Sokha P.",),
            "Meridian Outreach",
            2025,
            "km",
            ("KH",),
            "Card",
            ("LabourRecruitment",),
            "CC-BY-4.0",
            "សន្លឹកកិច្ចការតូចមួយ សម្រាប់ការសន្ទនា ដោយមិនចាំបាច់មានទូរស័ព្ទ។",
        ),
    ),
    (
        GREEN,
        Record(
            "What agencies promise: 140 adverts compared",
            ("Daan K.",),
            "Meridian Outreach",
            2024,
            "en",
            kind="Research",
            topics=("LabourRecruitment", "OnlineExploitation", "DebtBondage"),
            summary="Which wordings come back, and what they cost those who believed them. The adverts are described, not shown.",
            identifier="doi:10.5555/meridian.140",
            review_on="2026-10-01",
        ),
    ),
    (
        GREEN,
        Record(
            "Working with interpreters: a half-day training",
            ("Ilse V.",),
            "Meridian Outreach",
            2023,
            "en",
            kind="Training",
            topics=("Interpreting", "MentalHealth"),
            licence="CC-BY-SA-4.0",
            summary="Slides, two role plays, and a sheet that interpreters read beforehand.",
        ),
    ),
    (
        STRICT,
        Record(
            "Our rota and handover sheet",
            publisher="Meridian Outreach",
            year=2026,
            language="en",
            kind="Form",
            topics=("StaffCare",),
            summary="For us alone.",
        ),
    ),
)
FRENCH = (
    (
        CLEAR,
        Record(
            "Le premier accueil : sept jours, sept gestes",
            ("Léa D.",),
            "Réseau Passerelle",
            2024,
            "fr",
            ("FR", "TN"),
            "Guide",
            ("Shelter", "Outreach"),
            "CC-BY-NC-4.0",
            "Ce que nous faisons la première semaine, et ce que nous ne demandons **pas**.",
        ),
    ),
    (
        GREEN,
        Record(
            "Salaires impayés : modèles de lettres",
            ("Karim B.", "Léa D."),
            "Réseau Passerelle",
            2025,
            "fr",
            ("FR",),
            "Form",
            ("Compensation", "LegalAdvice"),
            "CC-BY-4.0",
            "Quatre lettres à compléter, relues par un avocat du réseau.",
        ),
    ),
    (
        GREEN,
        Record(
            "Aider sans s’épuiser",
            ("Karim B.",),
            "Réseau Passerelle",
            2022,
            "fr",
            kind="Toolkit",
            topics=("StaffCare",),
            summary="Huit exercices pour une équipe de trois à dix personnes.",
        ),
    ),
)
ARABIC = (
    (
        CLEAR,
        Record(
            "أسئلة قبل توقيع عقد العمل",
            ("أمل ب.",),
            "دار السنابل",
            2025,
            "ar",
            ("TN", "LB"),
            "Card",
            ("LabourRecruitment", "DomesticServitude"),
            "CC-BY-4.0",
            "بطاقة قصيرة للحوار، ولا تحتاج إلى هاتف.",
        ),
    ),
    (
        GREEN,
        Record(
            "دليل الإحالة بين المنظمات الشريكة",
            ("أمل ب.",),
            "دار السنابل",
            2024,
            "ar",
            ("LB",),
            "Policy",
            ("Referral", "DataAndConsent"),
            summary="من يسأل، ومن يجيب، وخلال أي وقت؛ ومتى لا تُنقل المعلومات.",
        ),
    ),
    (
        GREEN,
        Record(
            "الصحة النفسية في الأيام الأولى",
            ("أمل ب.", "Léa D."),
            "دار السنابل",
            2023,
            "ar",
            kind="Leaflet",
            topics=("MentalHealth",),
            licence="CC-BY-SA-4.0",
            summary="ورقة من صفحتين لمن يستقبل الناس أولاً.",
        ),
    ),
)
SHELVES = (ENGLISH, FRENCH, ARABIC)  # of the demo's organisations, in their order
