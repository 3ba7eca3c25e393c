#!/usr/bin/env bash
# Lucene's Korean analyzer (nori): a particle is another part of speech at the end of the text.
#
# One would guess: 의 in 바다의 ("of the sea") is a particle, whatever follows.
# What happens: before another word it is (J), at the end of the text it is a noun (NNG). A filter of particles keeps it,
# so that the query 바다의 demands a term that a title such as 바다의 노래 does not have.
# An index needs a stop word for it besides the part-of-speech filter.
#
# Source: no document was found; the path with the lowest cost in mecab-ko-dic, which Lucene 9.12.3 contains.
# Needs: JDK 17 or newer, Maven.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId>
  <artifactId>nori</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.lucene</groupId>
      <artifactId>lucene-analysis-nori</artifactId>
      <version>9.12.3</version>
    </dependency>
  </dependencies>
</project>
XML
cat > Parts.java <<'JAVA'
import java.io.PrintStream;
import java.io.StringReader;

import org.apache.lucene.analysis.ko.KoreanTokenizer;
import org.apache.lucene.analysis.ko.tokenattributes.PartOfSpeechAttribute;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

class Parts {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String text : new String[] {"바다의 노래", "바다의", "학교의 종", "학교의"}) {
            StringBuilder parts = new StringBuilder(text + ":");
            try (var tokenizer = new KoreanTokenizer()) {
                tokenizer.setReader(new StringReader(text));
                var term = tokenizer.addAttribute(CharTermAttribute.class);
                var part = tokenizer.addAttribute(PartOfSpeechAttribute.class);
                tokenizer.reset();
                while (tokenizer.incrementToken()) {
                    parts.append(' ').append(term).append('/').append(part.getLeftPOS().name());
                }
                tokenizer.end();
            }
            out.println(parts);
        }
    }
}
JAVA
mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DoutputDirectory=jars
parts=$(java -Dfile.encoding=UTF-8 -classpath 'jars/*' Parts.java)
echo "Lucene 9.12.3, terms and their parts of speech:"
echo "$parts"
if [ "$parts" != "$(printf '바다의 노래: 바다/NNG 의/J 노래/NNG\n바다의: 바다/NNG 의/NNG\n학교의 종: 학교/NNG 의/J 종/NNG\n학교의: 학교/NNG 의/NNG')" ]; then
    echo "The behaviour has changed."
    exit 1
fi
