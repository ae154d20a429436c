package rag

// AnswerLanguage is a language that an answer can be asked for in.
type AnswerLanguage struct {
	Tag  string // BCP 47
	Name string // in English, as a language model is told
}

// AnswerLanguages are the languages that a question may name. That a language model writes in it is the model's affair; extractive answers keep their sources' words.
var AnswerLanguages = []AnswerLanguage{
	{"en", "English"}, {"zh", "Chinese"}, {"zh-Hans", "Simplified Chinese"}, {"zh-Hant", "Traditional Chinese"},
	{"ar", "Arabic"}, {"de", "German"}, {"es", "Spanish"}, {"fr", "French"}, {"hi", "Hindi"}, {"id", "Indonesian"}, {"it", "Italian"}, {"ja", "Japanese"},
	{"ko", "Korean"}, {"nl", "Dutch"}, {"pl", "Polish"}, {"pt", "Portuguese"}, {"ru", "Russian"}, {"th", "Thai"}, {"tr", "Turkish"}, {"uk", "Ukrainian"}, {"vi", "Vietnamese"},
}

// LanguageName is the English name of a tag of AnswerLanguages; empty for any other.
func LanguageName(tag string) string {
	for _, l := range AnswerLanguages {
		if l.Tag == tag {
			return l.Name
		}
	}
	return ""
}
