"""Decides which names of a table's columns mean what, in our four languages and as other programs write them."""

COLUMNS = {
    "title": "titre|título|titulo|العنوان|name|nom|nombre|document title",
    "authors": "author|author(s)|auteur|auteurs|auteur(s)|autor|autores|autor(es)|المؤلف|المؤلفون|creator|creators|by|written by",
    "publisher": "organisation|organization|institution|éditeur|organisme|editorial|organización|institución|الناشر|المنظمة|"
    "published by|source organisation",
    "year": "publication year|date|publication date|année|date de publication|año|fecha|fecha de publicación|السنة|سنة النشر|"
    "تاريخ النشر|published",
    "language": "langue|idioma|lengua|اللغة|languages",
    "countries": "country|pays|país|paises|البلد|البلدان|الدولة|country or region|geography|region",
    "kind": "type|item type|resource type|document type|type de document|tipo|tipo de documento|clase|النوع|نوع المورد|category",
    "topics": "topic|keywords|keyword|tags|manual tags|subject|subjects|thèmes|thème|mots-clés|mots clés|sujets|temas|tema|"
    "palabras clave|etiquetas|"
    "المواضيع|الموضوع|الكلمات المفتاحية",
    "licence": "license|rights|copyright|droits|licencia|derechos|الترخيص|الرخصة",
    "summary": "abstract|abstract note|description|résumé|résumé/description|resumen|descripción|الملخص|الوصف|notes on content",
    "source": "url|link|address|web address|website|lien|adresse|enlace|dirección|الرابط|العنوان الإلكتروني|source link",
    "identifier": "identifiant|identificador|المعرف|number",
    "doi": "doi number",
    "isbn": "isbn 13|isbn-13|isbn 10",
    "review_on": "review date|review by|review on|à réviser le|date de révision|fecha de revisión|revisar el|تاريخ المراجعة",
    "label": "tlp|tlp label|sharing label|étiquette|etiqueta tlp|التصنيف",
    "files": "file attachments|link attachments|attachments|fichiers|archivos|المرفقات",
}
SILENT = frozenset(
    (
        "key",
        "date added",
        "date modified",
        "access date",
        "automatic tags",
        "library catalog",
        "call number",
        "archive",
        "short title",
        "id",
    )
)
