package parse

// advice says what to do with files of kinds that are not read, by their ending.
var advice = func() map[string]string {
	out := map[string]string{}
	for to, extensions := range map[string][]string{
		"is in Word's format of before 2007; save it as .docx and send that":                                                                       {".doc", ".dot"},
		"is in PowerPoint's format of before 2007; save it as .pptx and send that":                                                                 {".ppt", ".pps"},
		"is in Excel's format of before 2007; save it as .xlsx and send that":                                                                      {".xls", ".xlt"},
		"is rich text; save it as .docx and send that":                                                                                             {".rtf"},
		"is an image: PNG, JPEG and WebP are read where FOOTNOTE_OCR_BASE_URL names an endpoint; else put it through OCR and send what comes back": {".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".heic"},
		"is sound or film; send its transcript, as text or subtitles (.vtt, .srt)":                                                                 {".mp3", ".wav", ".m4a", ".ogg", ".flac", ".mp4", ".mov", ".mkv", ".webm", ".avi"},
		"is an archive of a kind that is not read; send it as .zip or .tar.gz":                                                                     {".rar", ".7z", ".xz", ".zst"},
	} {
		for _, e := range extensions {
			out[e] = to
		}
	}
	return out
}()
