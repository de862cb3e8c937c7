package liaison.rounds;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.StrictErrorHandler;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/**
 * Whether the XML that the server writes is the XML that HAPI FHIR makes of the same resource's JSON: the
 * same elements with the same attributes in the same order. {@code SameXml DIRECTORY} compares every
 * {@code X.r4.json} and {@code X.stu3.json} with the {@code X.r4.xml} and {@code X.stu3.xml} beside it.
 */
public final class SameXml {
    private static final String XHTML = "http://www.w3.org/1999/xhtml";

    private final DocumentBuilder builder;
    private int same;
    private int different;

    private SameXml() throws ParserConfigurationException {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        builder = factory.newDocumentBuilder();
    }

    public static void main(String[] arguments) throws Exception {
        SameXml comparison = new SameXml();
        Path directory = Path.of(arguments[0]);
        for (var release : List.of(Map.entry("r4", FhirContext.forR4()), Map.entry("stu3", FhirContext.forDstu3()))) {
            // By default it drops versions of references and the ids of entries that have a URN.
            release.getValue().getParserOptions().setStripVersionsFromReferences(false);
            release.getValue().getParserOptions().setOverrideResourceIdWithBundleEntryFullUrl(false);
            comparison.compare(directory, "." + release.getKey(), release.getValue());
        }
        System.out.println("XML: " + comparison.same + " as HAPI FHIR writes it, " + comparison.different + " not");
        System.exit(comparison.different == 0 && comparison.same > 0 ? 0 : 1);
    }

    private void compare(Path directory, String ending, FhirContext context) throws IOException {
        List<Path> documents;
        try (Stream<Path> files = Files.list(directory)) {
            documents = files.filter(file -> file.toString().endsWith(ending + ".json")).sorted().toList();
        }
        for (Path json : documents) {
            Path xml = json.resolveSibling(json.getFileName().toString().replaceAll("json$", "xml"));
            List<String> found = new ArrayList<>();
            try {
                IParser parser = context.newJsonParser().setParserErrorHandler(new StrictErrorHandler());
                var resource = parser.parseResource(Files.readString(json));
                String theirs = context.newXmlParser().encodeResourceToString(resource);
                differences(read(theirs), read(Files.readString(xml)), "", found);
            } catch (RuntimeException | SAXException error) {
                found.add(error.toString());
            }
            if (found.isEmpty()) {
                same++;
            } else {
                different++;
                System.out.println("DIFFERENT\t" + json.getFileName() + "\t" + found.get(0));
            }
        }
    }

    private Element read(String text) throws IOException, SAXException {
        return builder.parse(new InputSource(new StringReader(text))).getDocumentElement();
    }

    private static void differences(Element theirs, Element ours, String above, List<String> found) {
        String place = above + "/" + theirs.getLocalName();
        if (!theirs.getLocalName().equals(ours.getLocalName()) || !theirs.getNamespaceURI().equals(ours.getNamespaceURI())) {
            found.add(place + " is " + ours.getLocalName() + " of " + ours.getNamespaceURI());
            return;
        }
        if (!attributes(theirs).equals(attributes(ours))) {
            found.add(place + ": " + attributes(theirs) + " is " + attributes(ours));
        }
        // A narrative is one text for HAPI FHIR: what it says counts, not where its lines break.
        if (XHTML.equals(theirs.getNamespaceURI()) && !words(theirs).equals(words(ours))) {
            found.add(place + ": the words differ");
        }
        List<Element> left = elements(theirs);
        List<Element> right = elements(ours);
        if (left.size() != right.size()) {
            found.add(place + ": " + names(left) + " is " + names(right));
            return;
        }
        for (int index = 0; index < left.size(); index++) {
            differences(left.get(index), right.get(index), place + "[" + index + "]", found);
        }
    }

    private static String words(Element element) {
        return element.getTextContent().strip().replaceAll("\\s+", " ");
    }

    private static Map<String, String> attributes(Element element) {
        Map<String, String> found = new TreeMap<>();
        for (int index = 0; index < element.getAttributes().getLength(); index++) {
            Node attribute = element.getAttributes().item(index);
            if (!attribute.getNodeName().startsWith("xmlns")) {
                found.put(attribute.getNodeName(), attribute.getNodeValue());
            }
        }
        return found;
    }

    private static List<Element> elements(Element element) {
        List<Element> found = new ArrayList<>();
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element one) {
                found.add(one);
            }
        }
        return found;
    }

    private static List<String> names(List<Element> elements) {
        return elements.stream().map(Element::getLocalName).toList();
    }
}
