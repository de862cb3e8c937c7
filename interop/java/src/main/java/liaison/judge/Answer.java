package liaison.judge;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hl7.fhir.r5.context.IWorkerContext;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.elementmodel.Manager;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.elementmodel.ParserBase;
import org.hl7.fhir.r5.elementmodel.ParserBase.ValidationPolicy;
import org.hl7.fhir.r5.elementmodel.ValidatedFragment;
import org.hl7.fhir.utilities.validation.ValidationMessage;

/** An answer of the server, read by the validator's own reader. */
final class Answer {
    private static final Pattern ENTRY = Pattern.compile("\\.?entry\\[(\\d+)]\\.resource");

    /** Where it was kept. */
    final Path file;
    /** What the reader found wrong with it. */
    final List<ValidationMessage> misread = new ArrayList<>();
    private final FhirFormat format;
    private Element root;

    private Answer(Path file, FhirFormat format) {
        this.file = file;
        this.format = format;
    }

    /** Reads a file. */
    static Answer read(Path file, IWorkerContext context) throws IOException {
        Answer answer = new Answer(file, file.toString().endsWith(".xml") ? FhirFormat.XML : FhirFormat.JSON);
        ParserBase parser = Manager.makeParser(context, answer.format);
        parser.setupValidation(ValidationPolicy.EVERYTHING);
        try (InputStream stream = Files.newInputStream(file)) {
            for (ValidatedFragment fragment : parser.parse(stream)) {
                answer.misread.addAll(fragment.getErrors());
                answer.root = fragment.getElement();
            }
        }
        if (answer.root != null) {
            answer.claimNothingForParts(answer.root);
        }
        return answer;
    }

    /** The files of a directory that are of a release, in JSON and XML. */
    static List<Path> files(String directory, Release release) throws IOException {
        try (Stream<Path> all = Files.walk(Path.of(directory))) {
            return all.filter(file -> file.toString().endsWith(release.ending + ".json") || file.toString().endsWith(release.ending + ".xml"))
                .sorted().toList();
        }
    }

    /** The resource; null when the reader made nothing of it. */
    Element root() {
        return root;
    }

    /** What it is an answer of: {@code Bundle searchset}, {@code Patient}. */
    String kind() {
        if (root == null) {
            return "unread";
        }
        String type = root.fhirType();
        return type.equals("Bundle") ? type + " " + root.getNamedChildValue("type") : type;
    }

    /** {@code Type/id} of what a place is in; {@code Type} when it has no id. */
    String subject(String location) {
        if (root == null) {
            return "";
        }
        Element resource = root;
        Matcher entries = ENTRY.matcher(location);
        while (entries.find()) {
            List<Element> list = resource.getChildrenByName("entry");
            int index = Integer.parseInt(entries.group(1));
            Element inside = index < list.size() ? list.get(index).getNamedChild("resource", false) : null;
            if (inside == null) {
                break;
            }
            resource = inside;
        }
        String id = resource.getNamedChildValue("id");
        return id == null ? resource.fhirType() : resource.fhirType() + "/" + id;
    }

    /**
     * What there is to be judged in it: each path of an element, in this encoding and under the profiles that its resource
     * claims, and each code, extension and code system at such a path. Answers without a trait that others do not have too
     * need not be judged when time is short.
     */
    Set<String> traits() {
        Set<String> traits = new TreeSet<>();
        if (root != null) {
            collect(root, begin(root, ""), traits);
        }
        return traits;
    }

    private String begin(Element resource, String around) {
        List<Element> claims = new ArrayList<>();
        if (resource.getNamedChild("meta", false) != null) {
            resource.getNamedChild("meta", false).getNamedChildren("profile", claims);
        }
        String claimed = claims.stream().map(Element::primitiveValue).sorted().collect(Collectors.joining(" "));
        return format.getExtension() + " " + around + resource.fhirType() + "(" + claimed + ")";
    }

    private void collect(Element element, String path, Set<String> traits) {
        traits.add(path);
        for (Element child : element.getChildren()) {
            String name = child.getName();
            if (child.isResource()) {
                collect(child, begin(child, name.equals("contained") ? "contained " : ""), traits);
                continue;
            }
            String inside = path + "." + name;
            String type = child.fhirType();
            boolean named = type.equals("code") || name.equals("url") && element.fhirType().equals("Extension")
                || name.equals("system") && element.fhirType().equals("Coding");
            if (named) {
                traits.add(inside + "=" + child.primitiveValue());
            }
            collect(child, inside, traits);
        }
    }

    /** Parts of resources that were asked for no longer meet the profiles of the whole. */
    private void claimNothingForParts(Element element) {
        for (Element child : element.getChildren()) {
            if (child.isResource()) {
                claimNothingForParts(child);
            } else if (child.getName().equals("entry")) {
                claimNothingForParts(child);
            }
        }
        Element meta = element.getNamedChild("meta", false);
        if (meta == null) {
            return;
        }
        boolean isPart = meta.getChildrenByName("tag").stream().anyMatch(tag -> "SUBSETTED".equals(tag.getNamedChildValue("code")));
        if (isPart) {
            meta.removeChild("profile");
        }
    }
}
