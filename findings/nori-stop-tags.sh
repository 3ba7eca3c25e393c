#!/usr/bin/env bash
# Lucene's Korean analyzer (nori): the default part-of-speech filter deletes words that people search for.
#
# One would guess: KoreanPartOfSpeechStopFilter, which OpenSearch uses as `nori_part_of_speech`, deletes particles and
# endings.
# What happens: its default tags also delete determiners (첫, 두, 어떤), adverbs (다시, 아직) and interjections, so that a
# title of one adverb has no term at all, and 첫 눈 ("first snow") finds every snow. They keep the copula 이다. 엄마의
# ("mother's") loses its stem: the dictionary splits it into the interjection 엄 and the noun 마의. Name the tags instead.
#
# Source: DEFAULT_STOP_TAGS in org.apache.lucene.analysis.ko.KoreanPartOfSpeechStopFilter of Lucene 9.12.3.
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
cat > Terms.java <<'JAVA'
import java.io.PrintStream;
import java.io.StringReader;

import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.ko.KoreanPartOfSpeechStopFilter;
import org.apache.lucene.analysis.ko.KoreanTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

class Terms {
    public static void main(String[] texts) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String text : new String[] {"다시", "첫 눈", "두 사람", "봄이다", "엄마의"}) {
            var tokenizer = new KoreanTokenizer();
            tokenizer.setReader(new StringReader(text));
            StringBuilder terms = new StringBuilder(text + ":");
            try (TokenStream stream = new KoreanPartOfSpeechStopFilter(tokenizer)) {
                var term = stream.addAttribute(CharTermAttribute.class);
                stream.reset();
                while (stream.incrementToken()) {
                    terms.append(' ').append(term);
                }
                stream.end();
            }
            out.println(terms);
        }
    }
}
JAVA
mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DoutputDirectory=jars
terms=$(java -Dfile.encoding=UTF-8 -classpath 'jars/*' Terms.java)
echo "Lucene 9.12.3, terms of each text:"
echo "$terms"
if [ "$terms" != "$(printf '다시:\n첫 눈: 눈\n두 사람: 사람\n봄이다: 봄 이\n엄마의: 마의')" ]; then
    echo "The behaviour has changed."
    exit 1
fi
