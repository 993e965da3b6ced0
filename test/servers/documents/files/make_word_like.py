"""Makes word-like.docx: what Word itself writes, by hand: split runs, revision ids, numbering of
several levels, nested and merged tables, notes, comments, a text box, content controls, fields,
tracked changes of all kinds. Run: python3 make_word_like.py"""

import zipfile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NS = (
    f'xmlns:w="{W}" xmlns:r="{R}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" mc:Ignorable="w14"'
)
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
BY = 'w:author="Greta Holm" w:date="2026-02-10T10:00:00Z"'
number = iter(range(100, 999))


def p(content: str, props: str = "") -> str:
    n = next(number)
    ppr = f"<w:pPr>{props}</w:pPr>" if props else ""
    return f'<w:p w14:paraId="00000{n}" w:rsidR="00A1{n}" w:rsidRDefault="00A1{n}">{ppr}{content}</w:p>'


def r(text: str, props: str = "", tag: str = "w:t") -> str:
    rpr = f"<w:rPr>{props}</w:rPr>" if props else ""
    return (
        f'<w:r w:rsidRPr="00B2{next(number)}">{rpr}<{tag} xml:space="preserve">{text}</{tag}></w:r>'
    )


def style(name: str) -> str:
    return f'<w:pStyle w:val="{name}"/>'


def item(level: int, num: int) -> str:
    return f'{style("ListParagraph")}<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{num}"/></w:numPr>'


def tc(content: str, props: str = "") -> str:
    return f'<w:tc><w:tcPr><w:tcW w:w="3000" w:type="dxa"/>{props}</w:tcPr>{content}</w:tc>'


def tr(*cells: str, props: str = "") -> str:
    trpr = f"<w:trPr>{props}</w:trPr>" if props else ""
    return f"<w:tr>{trpr}{''.join(cells)}</w:tr>"


def tbl(*rows: str, columns: int = 3) -> str:
    grid = '<w:gridCol w:w="3000"/>' * columns
    look = '<w:tblLook w:val="04A0" w:firstRow="1" w:lastRow="0" w:firstColumn="1" w:lastColumn="0" w:noHBand="0" w:noVBand="1"/>'
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="0" w:type="auto"/>{look}</w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


TEXTBOX = (
    '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><wp:extent cx="1" cy="1"/>'
    '<wp:docPr id="7" name="Text Box 7" descr="A note"/><a:graphic><a:graphicData uri="x"><wps:wsp>'
    f"<wps:txbx><w:txbxContent>{p(r('Boxed: ask Aurora Ltd first'))}</w:txbxContent></wps:txbx></wps:wsp>"
    "</a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>"
    f"<w:txbxContent>{p(r('Boxed: ask Aurora Ltd first'))}</w:txbxContent></v:textbox></v:shape></w:pict>"
    "</mc:Fallback></mc:AlternateContent></w:r>"
)
PAGE = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
LINK = '<w:rStyle w:val="Hyperlink"/>'
PROOF = '<w:proofErr w:type="spellStart"/>'

body = [
    p(r("Service agreement"), style("Title")),
    p(
        r("Parties", ""),
        style("Heading1") + '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="3"/></w:numPr>',
    ),
    # "Aurora Ltd" lies in four runs of three looks.
    p(
        r("This agreement is between ")
        + r("Aur", "<w:b/>")
        + PROOF
        + r("ora", "<w:b/><w:i/>")
        + r(" L", "<w:b/>")
        + '<w:bookmarkStart w:id="0" w:name="_x"/>'
        + r("td")
        + '<w:bookmarkEnd w:id="0"/>'
        + r(" and the customer, who wrote “we agree”.")
        + '<w:r><w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr><w:footnoteReference w:id="2"/></w:r>'
    ),
    p(
        '<w:commentRangeStart w:id="0"/>'
        + r("The fee is ")
        + r("4,200 euro", '<w:highlight w:val="yellow"/>')
        + '<w:commentRangeEnd w:id="0"/><w:r><w:rPr><w:rStyle w:val="CommentReference"/></w:rPr><w:commentReference w:id="0"/></w:r>'
        + r(" a year, ")
        + r("once paid monthly", "<w:strike/>")
        + r(".")
    ),
    p(
        r("Duties"),
        style("Heading1") + '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="3"/></w:numPr>',
    ),
    p(
        r("Reporting"),
        style("Heading2") + '<w:numPr><w:ilvl w:val="1"/><w:numId w:val="3"/></w:numPr>',
    ),
    p(r("Weekly figures"), item(0, 1)),
    p(r("by mail"), item(1, 1)),
    p(r("or by post"), item(1, 1)),
    p(r("Yearly summary"), item(0, 1)),
    p(r("A bullet point"), item(0, 2)),
    p(TEXTBOX),
    '<w:sdt><w:sdtPr><w:alias w:val="Place"/></w:sdtPr><w:sdtContent>'
    + p(r("Signed in Graz"))
    + "</w:sdtContent></w:sdt>",
    tbl(
        tr(
            tc(p(r("Item", "<w:b/>"))),
            tc(p(r("Price and tax", "<w:b/>")), '<w:gridSpan w:val="2"/>'),
            props="<w:tblHeader/>",
        ),
        tr(tc(p(r("Desk")), '<w:vMerge w:val="restart"/>'), tc(p(r("1"))), tc(p(r("250.00")))),
        tr(
            tc(p(""), "<w:vMerge/>"),
            tc(p(r("2"))),
            tc(tbl(tr(tc(p(r("inner a"))), tc(p(r("inner b")))), columns=2) + p("")),
        ),
        tr(tc(p(r("Lamp"))), tc(p(r("3"))), tc(p(r("19.90")))),
    ),
    p(
        r("See ")
        + f'<w:hyperlink r:id="rId9" w:history="1">{r("the price list", LINK)}</w:hyperlink>'
        + r(" for more.")
    ),
    # Tracked changes.
    p(
        r("Payment is due in ")
        + f'<w:del w:id="11" {BY}>{r("30", tag="w:delText")}</w:del><w:ins w:id="12" {BY}>{r("14")}</w:ins>'
        + r(" days.")
    ),
    p(
        f'<w:ins w:id="13" {BY}>{r("A paragraph that was added.")}</w:ins>',
        f'<w:rPr><w:ins w:id="14" {BY}/></w:rPr>',
    ),
    p(
        f'<w:del w:id="15" {BY}>{r("A paragraph that was removed.", tag="w:delText")}</w:del>',
        f'<w:rPr><w:del w:id="16" {BY}/></w:rPr>',
    ),
    p(
        r("This became ")
        + '<w:r><w:rPr><w:b/><w:rPrChange w:id="17" w:author="Omar Said" w:date="2026-02-11T08:30:00Z"><w:rPr/></w:rPrChange></w:rPr><w:t>bold</w:t></w:r>'
        + r(".")
    ),
    p(
        f'<w:moveFromRangeStart w:id="18" w:name="m1" {BY}/><w:moveFrom w:id="19" {BY}>{r("Moved words. ")}</w:moveFrom><w:moveFromRangeEnd w:id="18"/>'
        + r("Stays here.")
    ),
    p(
        r("New home: ")
        + f'<w:moveToRangeStart w:id="20" w:name="m1" {BY}/><w:moveTo w:id="21" {BY}>{r("Moved words. ")}</w:moveTo><w:moveToRangeEnd w:id="20"/>'
    ),
    tbl(
        tr(tc(p(r("kept row"))), tc(p(r("x")))),
        tr(
            tc(p(f'<w:ins w:id="22" {BY}>{r("added row")}</w:ins>')),
            tc(p("")),
            props=f'<w:ins w:id="23" {BY}/>',
        ),
        tr(
            tc(p(f'<w:del w:id="24" {BY}>{r("removed row", tag="w:delText")}</w:del>')),
            tc(p("")),
            props=f'<w:del w:id="25" {BY}/>',
        ),
        columns=2,
    ),
    p(""),
    (
        '<w:sectPr w:rsidR="00A10001"><w:headerReference w:type="default" r:id="rId6"/><w:footerReference w:type="default" r:id="rId7"/>'
        '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1417" w:right="1417" w:bottom="1134" w:left="1417" w:header="708" w:footer="708" w:gutter="0"/></w:sectPr>'
    ),
]


def level(n: int, fmt: str, text: str) -> str:
    return (
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{fmt}"/><w:lvlText w:val="{text}"/>'
        f'<w:lvlJc w:val="left"/><w:pPr><w:ind w:left="{720 * (n + 1)}" w:hanging="360"/></w:pPr></w:lvl>'
    )


def para_style(sid: str, name: str, ppr: str = "", rpr: str = "", default: bool = False) -> str:
    d = ' w:default="1"' if default else ""
    based = "" if default else '<w:basedOn w:val="Normal"/>'
    return (
        f'<w:style w:type="paragraph"{d} w:styleId="{sid}"><w:name w:val="{name}"/>{based}'
        f"<w:pPr>{ppr}</w:pPr><w:rPr>{rpr}</w:rPr></w:style>"
    )


parts = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    + "".join(
        f'<Override PartName="/word/{n}.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.{t}+xml"/>'
        for n, t in [
            ("document", "document.main"),
            ("styles", "styles"),
            ("numbering", "numbering"),
            ("footnotes", "footnotes"),
            ("comments", "comments"),
            ("header1", "header"),
            ("footer1", "footer"),
            ("settings", "settings"),
        ]
    )
    + '<Override PartName="/word/commentsExtended.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.commentsExtended+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{R}/officeDocument" Target="word/document.xml"/></Relationships>',
    "word/document.xml": f"<w:document {NS}><w:body>{''.join(body)}</w:body></w:document>",
    "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    + "".join(
        f'<Relationship Id="rId{n}" Type="{R}/{t}" Target="{t2}.xml"/>'
        for n, t, t2 in [
            (1, "styles", "styles"),
            (2, "numbering", "numbering"),
            (3, "footnotes", "footnotes"),
            (4, "comments", "comments"),
            (6, "header", "header1"),
            (7, "footer", "footer1"),
            (8, "settings", "settings"),
        ]
    )
    + f'<Relationship Id="rId9" Type="{R}/hyperlink" Target="https://example.test/prices" TargetMode="External"/>'
    '<Relationship Id="rId10" Type="http://schemas.microsoft.com/office/2011/relationships/commentsExtended" Target="commentsExtended.xml"/></Relationships>',
    "word/styles.xml": f'<w:styles xmlns:w="{W}">'
    + para_style("Normal", "Normal", default=True)
    + para_style("Title", "Title", rpr='<w:sz w:val="56"/>')
    + "".join(
        para_style(f"Heading{n}", f"heading {n}", f'<w:outlineLvl w:val="{n - 1}"/>', "<w:b/>")
        for n in (1, 2)
    )
    + para_style("ListParagraph", "List Paragraph", '<w:ind w:left="720"/>')
    + para_style("FootnoteText", "footnote text")
    + '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/></w:style><w:style w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/><w:basedOn w:val="TableNormal"/></w:style>'
    '<w:style w:type="character" w:styleId="Hyperlink"><w:name w:val="Hyperlink"/></w:style></w:styles>',
    "word/numbering.xml": f'<w:numbering xmlns:w="{W}">'
    f'<w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="hybridMultilevel"/>{level(0, "decimal", "%1.")}{level(1, "lowerLetter", "%2)")}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="1"><w:multiLevelType w:val="hybridMultilevel"/>{level(0, "bullet", chr(0xF0B7))}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="2"><w:multiLevelType w:val="multilevel"/>{level(0, "decimal", "%1")}{level(1, "decimal", "%1.%2")}</w:abstractNum>'
    + "".join(f'<w:num w:numId="{n + 1}"><w:abstractNumId w:val="{n}"/></w:num>' for n in range(3))
    + "</w:numbering>",
    "word/footnotes.xml": f'<w:footnotes {NS}><w:footnote w:type="separator" w:id="0"><w:p><w:r><w:separator/></w:r></w:p></w:footnote><w:footnote w:type="continuationSeparator" w:id="1"><w:p/></w:footnote>'
    f'<w:footnote w:id="2"><w:p><w:pPr>{style("FootnoteText")}</w:pPr><w:r><w:footnoteRef/></w:r>{r(" Aurora Ltd is registered in Graz.")}</w:p></w:footnote></w:footnotes>',
    "word/comments.xml": f'<w:comments {NS}><w:comment w:id="0" {BY} w:initials="GH"><w:p w14:paraId="7A000001"><w:r><w:t>Is this still right?</w:t></w:r></w:p></w:comment></w:comments>',
    "word/commentsExtended.xml": '<w15:commentsEx xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml"><w15:commentEx w15:paraId="7A000001" w15:done="0"/></w15:commentsEx>',
    "word/header1.xml": f"<w:hdr {NS}>{p(r('Aurora') + r(' Ltd, confidential'))}</w:hdr>",
    "word/footer1.xml": f"<w:ftr {NS}>{p(r('Page ') + PAGE)}</w:ftr>",
    "word/settings.xml": f'<w:settings xmlns:w="{W}"><w:zoom w:percent="100"/><w:defaultTabStop w:val="708"/></w:settings>',
}

if __name__ == "__main__":
    with zipfile.ZipFile("word-like.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(
                zipfile.ZipInfo(name, (2026, 2, 12, 9, 30, 0)), HEAD + text, zipfile.ZIP_DEFLATED
            )
