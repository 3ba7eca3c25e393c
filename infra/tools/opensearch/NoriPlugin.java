import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.ko.KoreanPartOfSpeechStopFilter;
import org.apache.lucene.analysis.ko.KoreanReadingFormFilter;
import org.apache.lucene.analysis.ko.KoreanTokenizer;
import org.apache.lucene.analysis.ko.KoreanTokenizer.DecompoundMode;
import org.apache.lucene.analysis.ko.POS;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.IndexSettings;
import org.opensearch.index.analysis.AbstractTokenFilterFactory;
import org.opensearch.index.analysis.TokenFilterFactory;
import org.opensearch.index.analysis.TokenizerFactory;
import org.opensearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.opensearch.plugins.AnalysisPlugin;
import org.opensearch.plugins.Plugin;

/** The parts of OpenSearch's plugin analysis-nori that the search index uses, with the same names and defaults. */
public final class NoriPlugin extends Plugin implements AnalysisPlugin {
    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of("nori_tokenizer", (index, environment, name, settings) -> {
            String mode = settings.get("decompound_mode", "discard").toUpperCase(Locale.ROOT);
            DecompoundMode decompoundMode = DecompoundMode.valueOf(mode);
            boolean discardsPunctuation = settings.getAsBoolean("discard_punctuation", true);
            return TokenizerFactory.newFactory(name, () -> new KoreanTokenizer(
                KoreanTokenizer.DEFAULT_TOKEN_ATTRIBUTE_FACTORY, null, decompoundMode, false, discardsPunctuation));
        });
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "nori_part_of_speech",
            (index, environment, name, settings) -> new PartOfSpeechFactory(index, name, settings),
            "nori_readingform",
            (index, environment, name, settings) -> new ReadingFormFactory(index, name, settings));
    }

    private static final class PartOfSpeechFactory extends AbstractTokenFilterFactory {
        private final Set<POS.Tag> stopTags;

        PartOfSpeechFactory(IndexSettings index, String name, Settings settings) {
            super(index, name, settings);
            List<String> tags = settings.getAsList("stoptags", null);
            stopTags = tags == null
                ? KoreanPartOfSpeechStopFilter.DEFAULT_STOP_TAGS
                : tags.stream().map(POS::resolveTag).collect(Collectors.toSet());
        }

        @Override
        public TokenStream create(TokenStream tokens) {
            return new KoreanPartOfSpeechStopFilter(tokens, stopTags);
        }
    }

    private static final class ReadingFormFactory extends AbstractTokenFilterFactory {
        ReadingFormFactory(IndexSettings index, String name, Settings settings) {
            super(index, name, settings);
        }

        @Override
        public TokenStream create(TokenStream tokens) {
            return new KoreanReadingFormFilter(tokens);
        }
    }
}
