"""Decides which of others' keywords and kinds mean one of our codes; the codes' own names in every language need no line here."""

TOPICS = {
    "Identification": "victim identification|identification of victims|identification|identification des victimes|"
    "identificación de víctimas",
    "LabourRecruitment": "recruitment|labor recruitment|recruitment fees|recruitment agencies|recrutement|reclutamiento|"
    "ethical recruitment",
    "ForcedLabour": "forced labor|labour exploitation|labor exploitation|labour trafficking|labor trafficking|modern slavery|"
    "travail forcé|"
    "trabajo forzoso|العمل القسري|العمل الجبري|compulsory labour|slavery",
    "DebtBondage": "bonded labour|bonded labor|debt|servitude pour dettes|servidumbre por deudas",
    "DomesticServitude": "domestic work|domestic workers|domestic labour|servitude domestique|servidumbre doméstica|"
    "travailleurs domestiques",
    "SexualExploitation": "sex trafficking|commercial sexual exploitation|exploitation sexuelle|explotación sexual|الاستغلال الجنسي",
    "OnlineExploitation": "online exploitation|cyber trafficking|online recruitment|osec|technology-facilitated trafficking|internet",
    "ForcedCriminality": "forced criminal exploitation|criminal exploitation|scam compounds|scam centres|forced scamming|"
    "criminalité forcée",
    "ForcedMarriage": "early marriage|child marriage|mariage forcé|matrimonio forzado|الزواج القسري",
    "ForcedBegging": "begging|mendicité forcée|mendicidad forzada",
    "OrganRemoval": "organ trafficking|organ trade|trafic d'organes|tráfico de órganos",
    "ChildTrafficking": "children|child labour|child labor|child protection|child exploitation|traite des enfants|trata de niños|minors|"
    "الاتجار بالأطفال",
    "Outreach": "outreach work|street work|maraude",
    "Shelter": "housing|shelters|accommodation|hébergement|alojamiento|safe houses",
    "Health": "public health|health care|healthcare|santé|salud|الصحة",
    "MentalHealth": "mental health|trauma|trauma-informed care|psychosocial support|ptsd|santé mentale|salud mental|الصحة النفسية",
    "LegalAdvice": "legal aid|legal assistance|access to justice|aide juridique|asistencia jurídica",
    "Compensation": "unpaid wages|wage theft|remedy|remediation|indemnisation|compensación|restitution",
    "Interpreting": "interpretation|interpreters|translation|interprétariat|interpretación",
    "ReturnAndReintegration": "reintegration|return|repatriation|réintégration|reintegración|retour",
    "Livelihood": "livelihoods|employment|economic empowerment|vocational training|emploi|empleo",
    "MigrationAndBorders": "migration|borders|smuggling|refugees|labour migration|labor migration|migrant workers|migración|migrants|"
    "الهجرة",
    "SupplyChains": "supply chain|due diligence|business and human rights|transparency in supply chains|chaînes d'approvisionnement",
    "FinancialFlows": "money laundering|illicit financial flows|finance|anti-money laundering|blanchiment d'argent|lavado de dinero",
    "Investigation": "prosecution|law enforcement|police|criminal justice|enquête|investigación|poursuites",
    "Referral": "referral mechanisms|national referral mechanism|nrm|cooperation|multi-agency|case management|orientation",
    "Prevention": "awareness|awareness raising|awareness-raising|prevention|prévention|prevención|الوقاية",
    "SurvivorLeadership": "survivors|survivor engagement|lived experience|survivor voices|survivants|supervivientes",
    "StaffCare": "staff wellbeing|vicarious trauma|secondary trauma|burnout|self-care",
    "DataAndConsent": "data protection|consent|privacy|gdpr|informed consent|protection des données|protección de datos",
    "Measuring": "evaluation|monitoring and evaluation|m&e|impact assessment|prevalence|measurement|évaluation|evaluación|indicators",
}
KINDS = {
    "Guide": "guidelines|guidance|handbook|manual|guide pratique|manuel|guía",
    "Toolkit": "tool kit|boîte à outils|caja de herramientas",
    "Leaflet": "brochure|pamphlet|flyer|booklet|dépliant|folleto",
    "Training": "course|curriculum|slides|presentation|training manual|formation|capacitación",
    "Research": "article|journal article|journalarticle|inproceedings|incollection|conference paper|conferencepaper|thesis|phdthesis|"
    "mastersthesis|"
    "doctoral thesis|preprint|booksection|book section|étude|estudio|study|working paper",
    "Report": "techreport|technical report|annual report|rapport|informe|تقرير",
    "Law": "statute|bill|case|legislation|treaty|convention|standard|act|loi|ley|hearing",
    "Policy": "procedure|policy brief|sop|standard operating procedure|politique|política",
    "Form": "template|checklist|questionnaire|formulaire|formulario",
    "Data": "dataset|statistics|database|données|datos",
    "Film": "video|videorecording|video recording|movie|documentary|tvbroadcast|vidéo|vídeo",
    "Sound": "audio|audiorecording|podcast|radiobroadcast|sound recording|music",
    "Story": "testimony|témoignage|testimonio",
}
LICENCES = {
    "CC0-1.0": "cc0|creativecommons.org/publicdomain/zero/1.0",
    "CC-BY-4.0": "cc by|creativecommons.org/licenses/by/4.0",
    "CC-BY-SA-4.0": "cc by-sa|creativecommons.org/licenses/by-sa/4.0",
    "CC-BY-NC-4.0": "cc by-nc|creativecommons.org/licenses/by-nc/4.0",
    "CC-BY-NC-SA-4.0": "cc by-nc-sa|creativecommons.org/licenses/by-nc-sa/4.0",
    "CC-BY-ND-4.0": "cc by-nd|creativecommons.org/licenses/by-nd/4.0",
    "CC-BY-NC-ND-4.0": "cc by-nc-nd|creativecommons.org/licenses/by-nc-nd/4.0",
    "CC-BY-3.0-IGO": "creativecommons.org/licenses/by/3.0/igo",
    "CC-BY-NC-SA-3.0-IGO": "creativecommons.org/licenses/by-nc-sa/3.0/igo",
    "OGL-UK-3.0": "ogl|open government licence|nationalarchives.gov.uk/doc/open-government-licence/version/3",
    "PublicDomain": "public domain|creativecommons.org/publicdomain/mark/1.0",
    "AskFirst": "all rights reserved|tous droits réservés|todos los derechos reservados",
}
COUNTRIES = {  # as `matching.folded` writes them; the names that CLDR has in our languages need no line
    "lao pdr": "LA",
    "burma": "MM",
    "england": "GB",
    "great britain": "GB",
    "drc": "CD",
    "dr congo": "CD",
    "ivory coast": "CI",
    "cape verde": "CV",
    "czech republic": "CZ",
    "turkey": "TR",
    "swaziland": "SZ",
    "east timor": "TL",
    "holland": "NL",
    "uae": "AE",
    "palestine": "PS",
    "united states of america": "US",
    "russian federation": "RU",
    "republic of moldova": "MD",
    "syrian arab republic": "SY",
    "republic of korea": "KR",
}
LANGUAGES = {  # as LaTeX calls them
    "ngerman": "de",
    "naustrian": "de-AT",
    "british": "en-GB",
    "ukenglish": "en-GB",
    "american": "en-US",
    "usenglish": "en-US",
    "australian": "en-AU",
    "canadian": "en-CA",
    "frenchb": "fr",
    "francais": "fr",
    "brazilian": "pt-BR",
    "portuges": "pt",
    "castilian": "es",
    "farsi": "fa",
    "mandarin": "zh",
}
